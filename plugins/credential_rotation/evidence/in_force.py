"""When each version was in force: from when it became CURRENT, never from when it was written down.

Rules this file keeps:
- Pure. A version that is only recorded, or only applied, is in force for nobody who reads Bitwarden.
- A version may come back: CURRENT was refused, and a record from before took its place.
- What an attempt found to be CURRENT was in force by then at the latest, also where nobody kept since when.
- What the vault says is in force now is believed, whatever was kept; since when is then not on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from credential_rotation.evidence.steps import Document, read_moment, steps

IN_FORCE, REPLACED, RECORDED, UNKNOWN = "in force", "replaced", "recorded, not in force", "not known"
"""How a version stands."""


@dataclass(frozen=True, slots=True)
class Term:
    """A time in which one version was CURRENT; it ends where the next one's begins."""

    version: int
    since: str | None
    """None: not on record."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the terms say of one version; of several of its own, the last."""

    standing: str = UNKNOWN
    since: str | None = None
    replaced: str | None = None
    before: int | None = None
    """The version that was CURRENT right before it."""


def terms_of(
    became: Iterable[tuple[int, str]],
    outcomes: Iterable[Document],
    noted: Mapping[int, str],
    current: int | None,
) -> list[Term]:
    """Who was CURRENT, one after the other.

    `became` are the moments that were kept; `noted` are those of CURRENT's note, to the minute.
    """
    kept = [(moment, version) for version, at in became if (moment := read_moment(at)) is not None]
    for version, at in noted.items():
        if (moment := read_moment(at)) is not None and version not in _versions(kept):
            kept.append((_not_before(moment, version, kept), version))
    known = _versions(kept)
    kept += [one for one in _found(outcomes) if one[1] not in known]
    terms: list[Term] = []
    for moment, version in sorted(kept):
        if not terms or terms[-1].version != version:
            terms.append(Term(version, moment.isoformat()))
    if current is not None and (not terms or terms[-1].version != current):
        terms.append(Term(current, None))
    return terms


def place_of(version: int, terms: Sequence[Term]) -> Place:
    """Since when it was in force, what it replaced, and what has replaced it."""
    own = [number for number, term in enumerate(terms) if term.version == version]
    if own:
        last = own[-1]
        is_last = last == len(terms) - 1
        return Place(
            IN_FORCE if is_last else REPLACED,
            terms[last].since,
            None if is_last else terms[last + 1].since,
            terms[last - 1].version if last else None,
        )
    if not terms:
        return Place()
    if version > terms[-1].version:
        return Place(RECORDED)
    return Place(replaced=next((term.since for term in terms if term.version > version), None))


def _versions(kept: Iterable[tuple[datetime, int]]) -> set[int]:
    return {version for _, version in kept}


def _found(outcomes: Iterable[Document]) -> Iterable[tuple[datetime, int]]:
    """When each version was first found to be CURRENT: before an attempt's own first step.

    That is for versions of which nothing else tells: who came too late has seen one from before.
    """
    first: dict[int, datetime] = {}
    for one in outcomes:
        version, at = one.get("version"), read_moment([*steps(one), one][0].get("at"))
        if one.get("attempt") and isinstance(version, int) and at is not None:
            first[version] = min(at, first.get(version, at))
    return [(at, version) for version, at in first.items()]


def _not_before(minute: datetime, version: int, kept: Iterable[tuple[datetime, int]]) -> datetime:
    """A note's minute is cut off: what became CURRENT in that minute with a lower number was earlier."""
    same = [at for at, other in kept if other < version and at.replace(second=0, microsecond=0) == minute]
    return max([minute, *same])
