"""The steps that outcomes keep, read as proofs: who answered what about which version, and when.

Rules this file keeps:
- The words are those of who takes the steps: `ending`, `promotion`, `retirement`, `confirming`; one that
  reads otherwise proves nothing.
- What was answered about CURRENT before a version was promoted is about the version before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

Document = Mapping[str, Any]

_VERSION = re.compile(r"version (\d{1,9})\b")
_PRINCIPAL = re.compile(r"version \d+, as (.+)")
_ANSWERS = ("works", "refused", "unknown")


@dataclass(frozen=True, slots=True)
class Proof:
    """One answer: who was asked about which value, and when."""

    at: str
    answer: str
    """`works`, `refused` or `unknown`; `not asked` where the entry says so."""
    where: str


def consumers(steps: Sequence[Document]) -> Iterable[Proof]:
    """What each consumer answered about the value that was promoted."""
    return answers(_promoted(steps), "consumer ")


def principal_in(step: Document) -> str:
    """Who the version is for, where a pair takes turns."""
    match = _PRINCIPAL.fullmatch(str(step.get("detail", "")))
    return match[1] if match else ""


def accepted(steps: Sequence[Document], version: int) -> Iterable[Proof]:
    """The new value's logins: before it became CURRENT, and with what Bitwarden answered afterwards."""
    for step in steps:
        if step.get("step") == "verified" and version_in(step) == version:
            where = str(step.get("detail", "")).partition(" logs in at ")[2] or "the primary"
            yield Proof(str(step.get("at")), "works", f"{where}, before it became CURRENT")
    for proof in answers(_promoted(steps), "CURRENT "):
        yield replace(proof, where=f"{proof.where.removeprefix('asked of ')}, as Bitwarden answered it")


def _promoted(steps: Sequence[Document]) -> Sequence[Document]:
    """The steps after CURRENT was written."""
    names = [step.get("step") for step in steps]
    return steps[names.index("promoted") :] if "promoted" in names else steps


def answers(steps: Sequence[Document], beginning: str) -> Iterable[Proof]:
    """The answers that steps of this name are."""
    for step in steps:
        name = str(step.get("step", ""))
        if name.startswith(beginning) and name.removeprefix(beginning) in _ANSWERS:
            yield Proof(str(step.get("at")), name.removeprefix(beginning), str(step.get("detail", "")))


def deaths(outcomes: Sequence[Document]) -> dict[int, list[Proof]]:
    """What was answered of each replaced version."""
    found: dict[int, list[Proof]] = {}
    for step in (step for one in outcomes for step in steps(one)):
        name, version = str(step.get("step", "")), version_in(step)
        if version is None:
            continue
        where = re.sub(r"^version \d+(, asked of |: )?", "", str(step.get("detail", "")))
        if name.startswith("old value "):
            answer = name.removeprefix("old value ").removesuffix(" by catalog")
            if name.endswith(" by catalog"):
                where = f"not tried, the target's catalog says so: {where}"
            found.setdefault(version, []).append(Proof(str(step.get("at")), answer, where))
        elif name == "not asked":
            found.setdefault(version, []).append(Proof(str(step.get("at")), name, where))
    return found


def deleted(outcomes: Sequence[Document]) -> dict[int, str]:
    """When each version's record went, which is after its value was seen to be dead."""
    return {
        int(version): str(step.get("at"))
        for one in outcomes
        for step in steps(one)
        if step.get("step") == "retired"
        for version in re.findall(r"\d+", str(step.get("detail", "")).partition(" is dead")[0])
    }


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A person's word that a consumer has a version."""

    at: str
    consumer: str
    by: str


def confirmed(outcomes: Sequence[Document]) -> dict[int, list[Confirmed]]:
    """Who said of which consumer that it has each version; the first word counts."""
    found: dict[int, dict[str, Confirmed]] = {}
    for one in sorted(outcomes, key=lambda one: str(one.get("at", ""))):
        for step in steps(one):
            version, consumer = version_in(step), str(step.get("detail", "")).partition(", ")[2]
            if step.get("step") == "confirmed" and version is not None:
                word = Confirmed(str(step.get("at")), consumer, asked(one, "by"))
                found.setdefault(version, {}).setdefault(consumer, word)
    return {version: list(words.values()) for version, words in found.items()}


def steps(document: Document) -> list[Document]:
    """The steps of an outcome, in their order."""
    found = document.get("steps")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def version_in(step: Document) -> int | None:
    """The version that a step is about."""
    match = _VERSION.match(str(step.get("detail", "")))
    return int(match[1]) if match else None


def read_moment(text: object) -> datetime | None:
    """A moment as documents write it."""
    try:
        at = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


def asked(document: Document, name: str) -> str:
    """What an outcome keeps of who asked for it."""
    found = document.get("asked")
    return str(found.get(name) or "") if isinstance(found, dict) else ""


def is_compromise(document: Document) -> bool:
    """Whether it was asked for because the value may have been in wrong hands."""
    found = document.get("asked")
    return isinstance(found, dict) and found.get("compromise") is True
