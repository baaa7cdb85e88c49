"""Evidence as one document: what it says, which controls it supports, what nobody can conclude from it.

Rules this file keeps:
- Plain JSON of texts, whole numbers and truth values, so that any tool writes its canonical form alike.
- The page is made from this document and from nothing else: who checks the one has checked the other.
- What it does not show stands in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from credential_rotation import __version__
from credential_rotation.by_hand import BY_HAND
from credential_rotation.evidence.evidence import STATE, Event, Rotation
from credential_rotation.evidence.in_force import IN_FORCE, RECORDED
from credential_rotation.evidence.steps import read_moment
from credential_rotation.passwords import DEFAULT_LENGTH, DEFAULT_SYMBOLS

SCHEMA = 1
KIND = "credential rotation evidence"
LIMITS = (
    "This document repeats what the rotation itself wrote down. It does not show that the machine on which "
    "the rotation ran, or the people who may change its code, inventory or state folder, are honest: whoever "
    "can write the state folder can write another history. Lines of the audit trail are harder to forge, and "
    "only as hard as its key and checkpoints are kept from that machine. “Refused” and “accepted” are "
    "answers of the named server at the named moment, not promises about later. Who asked is who was logged "
    "in to Airflow or the shell, as that said it. What a person confirmed or closed is that person's word. "
    "That a DAG or a person read a value does not show what "
    "they did with it, and whoever copied it in Bitwarden's web vault is in no list "
    "here. Sessions that were open before a change may have lived on where no step says that they were "
    "ended. A time without rotations in this document may be a time without documents: see the sources."
)


@dataclass(frozen=True, slots=True)
class Source:
    """One place that was asked, and what it could tell."""

    name: str
    where: str
    told: str


@dataclass(frozen=True, slots=True)
class TrailVerdict:
    """What `audit verify` says of the trail that the lines are from."""

    folder: str
    verdict: str
    """`complete`, `wrong` or `not checked`."""
    why: str
    agents: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ReaderTold:
    """Somebody to whom the value was given."""

    who: str
    version: int | None
    times: int | None
    first: str
    last: str
    source: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is told of one entry: what it is, what was done with it, and from which sources."""

    credential: str
    entry: Mapping[str, Any]
    """As a planner's status has it (`status_rows`)."""
    made: datetime
    made_by: str
    since: datetime | None
    rotations: Sequence[Rotation]
    events: Sequence[Event]
    readers: Sequence[ReaderTold] = ()
    exceptions: Sequence[Mapping[str, Any]] = ()
    trail: TrailVerdict | None = None
    sources: Sequence[Source] = field(default_factory=tuple)


def document_of(evidence: Evidence) -> dict[str, Any]:
    """The document, without its digest."""
    told = {
        "kind": KIND,
        "schema": SCHEMA,
        "product": __version__,
        "credential": evidence.credential,
        "made": evidence.made.isoformat(timespec="seconds"),
        "made_by": evidence.made_by,
        "since": evidence.since.isoformat() if evidence.since else None,
        "entry": dict(evidence.entry),
        "summary": summary(evidence),
        "rotations": [_rotation(one) for one in evidence.rotations],
        "events": [asdict(one) for one in evidence.events],
        "readers": [asdict(one) for one in evidence.readers],
        "exceptions": [dict(one) for one in evidence.exceptions],
        "trail": asdict(evidence.trail) if evidence.trail else None,
        "controls": controls(evidence),
        "sources": [asdict(one) for one in evidence.sources],
        "limits": LIMITS,
    }
    whole: dict[str, Any] = _plain(told)
    return whole


def summary(evidence: Evidence) -> dict[str, Any]:
    """What a reader in a hurry wants to know first."""
    recorded = [one.version for one in evidence.rotations if one.standing == RECORDED]
    made = [one for one in evidence.rotations if one.outcome != "adopted" and one.standing != RECORDED]
    current = next((one for one in evidence.rotations if one.standing == IN_FORCE), None)
    lived = [age for one in evidence.rotations if (age := _lived(one, evidence.made)) is not None]
    late = [one.version for one in evidence.rotations if _is_late(one, evidence.made)]
    return {
        "versions": len(made),
        "whole_proofs": sum(not one.gaps for one in made),
        "in_force": current.version if current else None,
        "in_force_since": current.in_force if current else None,
        "recorded_only": recorded,
        "longest_days": max(lived).days if lived else None,
        "late": late,
        "failures": _count(evidence, {"failed", "broken", "unproved"}),
        "revocations": _count(evidence, {"revoked"}),
    }


def controls(evidence: Evidence) -> list[dict[str, str]]:
    """Which controls it supports, with what, and what each wants besides."""
    told = summary(evidence)
    policy = str((evidence.entry.get("policy") or {}).get("words", "")) or "not known here"
    revoked = told["revocations"]
    suspicions = (
        "how many replacements followed a suspicion is not known"
        if revoked is None
        else f"{revoked} replacements after a suspicion"
    )
    longest = "not known" if told["longest_days"] is None else f"{told['longest_days']} days"
    return [
        {
            "control": "SOC 2 CC6.1 (logical access, credentials)",
            "shown": f"{told['versions']} versions were made; of {told['whole_proofs']} the new value's "
            "acceptance and the old one's refusal are both on record.",
            "besides": "Who may read the Bitwarden project, and who may log in to Airflow.",
        },
        {
            "control": "PCI DSS 4.0.1, 8.3 (strong authentication; 8.3.9: changed within 90 days)",
            "shown": f"Policy: {policy}. The longest that a version lived: {longest}; later than the policy "
            f"promised: {', '.join(map(str, told['late'])) or 'none'}.",
            "besides": f"{_shape(evidence)}; the target's TLS.",
        },
        {
            "control": "PCI DSS 4.0.1, 8.6 (application and system accounts; 8.6.3: also on suspicion)",
            "shown": f"{_handed_over(evidence)}; {suspicions}.",
            "besides": "The risk analysis that sets the frequency (12.3.1), and whether anybody logs in "
            "interactively as this principal (8.6.1).",
        },
        {
            "control": "ISO/IEC 27001:2022 A.5.17 (authentication information)",
            "shown": f"{_made_by(evidence)}, and replaced on the events listed here, each with who asked and "
            f"why. {_handed_over(evidence)}.",
            "besides": "What people were told about handling it, and how the first value was given.",
        },
    ]


def _count(evidence: Evidence, outcomes: Collection[str]) -> int | None:
    """None where the state folder tells of nothing: it may never have been written."""
    if not evidence.events and all(one.source != STATE for one in evidence.rotations):
        return None
    return sum(one.outcome in outcomes for one in evidence.events)


def _made_by(evidence: Evidence) -> str:
    if evidence.entry.get("engine") == BY_HAND:
        return "Values are made by a person, who says so"
    return "Values are made by the rotation or by the target"


def _shape(evidence: Evidence) -> str:
    """What a value is made of, as far as that can be told without looking at it."""
    shape = "Length and symbols of the value"
    if evidence.entry.get("engine") == BY_HAND:
        return f"{shape}, which a person chooses"
    return (
        f"{shape}: a password that the rotation makes has {DEFAULT_LENGTH} characters, letters, digits and "
        f"the entry's `password_symbols` (left out: `{DEFAULT_SYMBOLS}`); a cloud's key is made by the "
        "cloud, and an adopted value by a person"
    )


def _handed_over(evidence: Evidence) -> str:
    """Through Bitwarden, and by whom besides, as far as anybody has said."""
    if evidence.entry.get("engine") == BY_HAND:
        return "How the value reaches who uses it is not shown"
    people = sorted({word.consumer for one in evidence.rotations for word in one.confirmed})
    by_hand = f", and was handed on by people to: {', '.join(people)}" if people else ""
    return f"The value is read from Bitwarden by who is named under readers{by_hand}"


def _rotation(rotation: Rotation) -> dict[str, Any]:
    return {**asdict(rotation), "gaps": list(rotation.gaps)}


def _lived(rotation: Rotation, now: datetime) -> timedelta | None:
    made, end = read_moment(rotation.made), _end(rotation, now)
    return None if made is None or end is None else end - made


def _is_late(rotation: Rotation, now: datetime) -> bool:
    limit, end = read_moment(rotation.limit), _end(rotation, now)
    return limit is not None and end is not None and end > limit


def _end(rotation: Rotation, now: datetime) -> datetime | None:
    """Until when it was in force; None where that is not on record, or it never was."""
    return now if rotation.standing == IN_FORCE else read_moment(rotation.replaced)


def _plain(found: Any) -> Any:  # noqa: ANN401 - JSON
    """The same with lists for tuples, whole seconds, and no half characters, which no file can hold."""
    if isinstance(found, Mapping):
        return {str(name): _plain(one) for name, one in found.items()}
    if isinstance(found, (list, tuple)):
        return [_plain(one) for one in found]
    if isinstance(found, str):
        return found.encode("utf-8", "replace").decode()
    return int(found) if isinstance(found, float) else found
