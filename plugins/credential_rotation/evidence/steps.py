"""The steps that outcomes keep, read as proofs: who answered what about which version, and when.

Rules this file keeps:
- A step's fact is read (`outcome.Fact`), never its name or its words: those are for people.
- An answer is about the version that it names. A step that shows nothing we know, or of no version, proves
  nothing: the folder is shared, and its documents may be anybody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from credential_rotation.model import Answer
from credential_rotation.outcome import Shows

Document = Mapping[str, Any]

_SHOWS = {one.value: one for one in Shows}
_ANSWERS = frozenset(one.value for one in Answer)
_MOST = 10**9
"""Versions are smaller."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One answer: who was asked about which value, and when."""

    at: str
    answer: str
    """`works`, `refused` or `unknown`; `not asked` where the entry says so."""
    where: str


def consumers(steps: Sequence[Document], version: int) -> Iterable[Proof]:
    """What each consumer answered about the new value, once it was CURRENT."""
    for step in steps:
        if shows(step) is Shows.CONSUMER and version_in(step) == version:
            yield from _answer(step, text_in(step, "where"))


def accepted(steps: Sequence[Document], version: int) -> Iterable[Proof]:
    """The new value's logins: before it became CURRENT, and with what Bitwarden answered afterwards."""
    when = {Shows.NEW_VALUE: "before it became CURRENT", Shows.CURRENT: "as Bitwarden answered it"}
    for step in steps:
        what = shows(step)
        if what in when and version_in(step) == version:
            yield from _answer(step, f"{text_in(step, 'where')}, {when[what]}")


def deaths(outcomes: Sequence[Document]) -> dict[int, list[Proof]]:
    """What was answered of each replaced version."""
    found: dict[int, list[Proof]] = {}
    for step in (step for one in outcomes for step in steps(one)):
        version = version_in(step)
        if version is not None:
            found.setdefault(version, []).extend(_death(step))
    return found


def _death(step: Document) -> Iterable[Proof]:
    what, why = shows(step), text_in(step, "why")
    if what is Shows.OLD_VALUE:
        yield from _answer(step, text_in(step, "where"))
    elif what is Shows.OLD_VALUE_SEEN:
        yield from _answer(step, f"not tried, the target's catalog says so: {why}")
    elif what is Shows.OLD_VALUE_NOT_ASKED:
        yield Proof(str(step.get("at")), "not asked", why)


def _answer(step: Document, where: str) -> Iterable[Proof]:
    """The answer that a step carries; nothing where it is none of ours."""
    answer = text_in(step, "answer")
    if answer in _ANSWERS:
        yield Proof(str(step.get("at")), answer, where)


def deleted(outcomes: Sequence[Document]) -> dict[int, str]:
    """When each version's record went, which is after its value was seen to be dead."""
    return {
        version: str(step.get("at"))
        for one in outcomes
        for step in steps(one)
        if shows(step) is Shows.RETIRED and (version := version_in(step)) is not None
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
            version, consumer = version_in(step), text_in(step, "where")
            if shows(step) is Shows.CONFIRMED and version is not None:
                word = Confirmed(str(step.get("at")), consumer, asked(one, "by"))
                found.setdefault(version, {}).setdefault(consumer, word)
    return {version: list(words.values()) for version, words in found.items()}


def steps(document: Document) -> list[Document]:
    """The steps of an outcome, in their order."""
    found = document.get("steps")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def shows(step: Document) -> Shows | None:
    """What a step is evidence of; None where it is of nothing that we know."""
    return _SHOWS.get(text_in(step, "shows"))


def version_in(step: Document) -> int | None:
    """The version that a step is about."""
    found = step.get("version")
    if isinstance(found, bool) or not isinstance(found, int):
        return None
    return found if 0 <= found < _MOST else None


def text_in(step: Document, name: str) -> str:
    """What a step tells by this name; empty where it tells nothing, or no text."""
    found = step.get(name)
    return found if isinstance(found, str) else ""


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
