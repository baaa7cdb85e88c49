"""Where in the audit trail secrets are spoken of: file, line and place in the chain, for who checks it later.

Rules this file keeps:
- A line is told as it stands; whether its own digest fits is told beside it, and the whole chain is
  `audit_verify`'s to judge.
- Keys are found by how they begin, and what was done by id afterwards is found with the ids that they had.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bitwarden_vault.audit.line import Seal, opened, read
from bitwarden_vault.audit.places import parse_segment_name


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the trail about a secret that was looked for."""

    segment: str
    line: int
    sequence: int
    digest: str
    fits: bool
    """Whether the line's digest fits, with the keys that were given."""
    at: str
    operation: str
    outcome: str
    secrets: tuple[tuple[str, str], ...]
    """Id and key of each that was looked for; an empty text where the line does not say it."""
    project: str
    claimed: Mapping[str, Any]

    @property
    def who(self) -> str:
        """DAG and task, or the person at a command line, as the asking process said."""
        task = ".".join(str(self.claimed[part]) for part in ("dag", "task") if self.claimed.get(part))
        return task or str(self.claimed.get("user", ""))


def places(
    segments: Mapping[str, bytes], seals: Sequence[Seal], *, beginnings: Sequence[str], keys: Sequence[str]
) -> list[Place]:
    """All lines about secrets whose keys begin so, or are these, agent by agent in the order of the chain."""
    wanted = _Wanted(tuple(beginnings), frozenset(keys))
    found = [one for one in _lines(segments, seals, wanted) if one.secrets]
    wanted = _Wanted(
        wanted.beginnings, wanted.keys, frozenset(i for one in found for i, _ in one.secrets if i)
    )
    return [one for one in _lines(segments, seals, wanted) if one.secrets]


@dataclass(frozen=True, slots=True)
class _Wanted:
    beginnings: tuple[str, ...]
    keys: frozenset[str]
    ids: frozenset[str] = frozenset()

    @property
    def texts(self) -> tuple[bytes, ...]:
        """What a line holds that is worth reading."""
        keys = [json.dumps(key)[1:-1] for key in (*self.beginnings, *self.keys)]
        return tuple(one.encode() for one in (*keys, *self.ids))

    def is_in(self, secret: Mapping[str, Any]) -> bool:
        key = str(secret.get("key") or "")
        return key in self.keys or key.startswith(self.beginnings or ("\0",)) or secret.get("id") in self.ids


def _lines(segments: Mapping[str, bytes], seals: Sequence[Seal], wanted: _Wanted) -> Iterator[Place]:
    texts = wanted.texts
    for name in sorted(name for name in segments if parse_segment_name(name)):
        for number, raw in enumerate(segments[name].split(b"\n"), 1):
            if any(text in raw for text in texts) and (fields := read(raw)) is not None:
                fits = any(opened(seal, raw) is not None for seal in (*seals, Seal()))
                yield _place(name, number, fields, wanted, fits=fits)


def _place(name: str, number: int, fields: Mapping[str, Any], wanted: _Wanted, *, fits: bool) -> Place:
    named = fields.get("secrets")
    secrets = [one for one in named if isinstance(one, dict)] if isinstance(named, list) else []
    claimed = fields.get("claimed")
    sequence = fields.get("sequence")
    return Place(
        segment=name,
        line=number,
        sequence=sequence if isinstance(sequence, int) else 0,
        digest=str(fields.get("digest", "")),
        fits=fits,
        at=str(fields.get("at", "")),
        operation=str(fields.get("operation", "")),
        outcome=str(fields.get("outcome", "")),
        secrets=tuple(
            (str(one.get("id") or ""), str(one.get("key") or "")) for one in secrets if wanted.is_in(one)
        ),
        project=str(fields.get("project") or ""),
        claimed=claimed if isinstance(claimed, dict) else {},
    )
