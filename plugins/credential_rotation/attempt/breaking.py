"""What compromise mode will break, told before it does: who is refused, whose sessions end, what dies.

Rules this file keeps:
- It only looks. What cannot be seen is said, and is never taken for nothing.
- A record never takes CURRENT's place here: whatever is stored may be what was seen.
- An ordinary run that finds a revocation which was cut off breaks as much, and tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, runtime_checkable

from credential_rotation.attempt.look import Look
from credential_rotation.attempt.still_read import named
from credential_rotation.attempt.turn import Parties
from credential_rotation.by_hand import BY_HAND
from credential_rotation.by_hand import named as who_takes_it
from credential_rotation.errors import RotationError
from credential_rotation.model import Consumer, Record, Secret, Strategy
from credential_rotation.policy import Decision, Request
from credential_rotation.protocols import Prober
from credential_rotation.readership import Reader

NO_GRACE = "no grace, and nothing is waited for"
Told = tuple[str, str]
"""A step's name and what it says."""


@runtime_checkable
class ShowsSessions(Protocol):
    """A rotator that can say what was opened with the values, and what becomes of it."""

    def open_sessions(self, login: Secret | None) -> tuple[str, ...]:
        """One sentence for each group; nothing where there is none. Raises: TargetUnknown, TargetRefused."""


def would_revoke(look: Look, rotator: Prober, decision: Decision) -> str | None:
    """What an attempt in compromise mode would do. Raises: NoStoredValueWorks (an admin is missing)."""
    current = look.stored.current
    is_begun = any(look.may_try(one.secret) and look.works(one.secret) for one in look.heirs)
    if current is not None and not is_begun and not look.works(current.secret):
        if rotator.changes_itself:
            raise look.nothing_works()
        return "CURRENT is refused; the admin would set a new value, and no record would take its place"
    if not decision.begin:
        return None
    first = f"version {look.newer[0].epoch}, which was begun, would be finished; then " if look.newer else ""
    return f"{first}a new version would be made: {decision.reason}"


def would_see_through(look: Look, rotator: Prober, begin: Request, decision: Decision | None) -> str:
    """What an ordinary attempt does behind a revocation that was cut off; it begins nothing undecided.

    Raises: NoStoredValueWorks, TargetUnknown.
    """
    first = ""
    if is_lost := _is_lost(look):
        if not begin.force or rotator.changes_itself:
            raise look.nothing_works()
        first = "no stored value works; "
    if look.newer:
        first += f"version {look.newer[0].epoch}, which was begun, would be finished; "
    elif look.own is None and not is_lost:
        first = _without_record(look)
    made = f"made version {look.revoking.epoch} " if look.revoking else ""
    then = f"; then a new version would be made: {decision.reason}" if decision and decision.begin else ""
    return f"{first}the revocation that {made}is not through, and would be seen through{then}"


def _without_record(look: Look) -> str:
    """What becomes of a CURRENT that no record names."""
    current = look.stored.current
    if current is None or not look.may_try(current.secret) or look.works(current.secret):
        return "CURRENT has no record and would be given one; "
    heir = next((one for one in look.heirs if look.may_try(one.secret) and look.works(one.secret)), None)
    return f"CURRENT is refused, and version {heir.epoch} would take its place; " if heir else ""


def _is_lost(look: Look) -> bool:
    """Whether neither CURRENT nor what was begun logs in, where all may be tried. Raises: TargetUnknown."""
    current, begun = look.stored.current, [one.secret for one in look.heirs]
    if current is None or not all(map(look.may_try, (current.secret, *begun))):
        return False
    return not any(map(look.works, (current.secret, *begun)))


def breaks(look: Look, parties: Parties) -> Iterator[Told]:
    """What compromise mode will break, in the order in which people ask."""
    own = look.own.epoch if look.own else None
    versions = [f"version {one.epoch}" for one in look.stored.records if one.epoch != own]
    current = "CURRENT" if own is None else f"version {own}"
    yield "would end", f"{', '.join([current, *versions])}, at once: {NO_GRACE}"
    yield from _readers(look, parties)
    yield from _by_hand(_takes_by_hand(look))
    yield from _asked_anew(look)
    yield from _sessions(look, parties)


def breaks_through(
    look: Look, parties: Parties, kept: Record | None, waits: datetime | None
) -> Iterator[Told]:
    """The same of an attempt that sees one through: all ends but one version, or the CURRENT of a person.

    `waits` is when an earlier attempt can write no more: nothing is ended before, but that one role's value
    dies when the next one is applied.
    """
    if look.newer and look.credential.strategy is Strategy.IN_PLACE:
        waits = None
    dying = [one for one in look.stored.records if one != kept]
    versions = ", ".join(f"version {one.epoch}" for one in dying)
    after = f"after {waits:%Y-%m-%d %H:%M} UTC (an earlier attempt may still write)" if waits else "at once"
    yield "would end", f"{versions}, {after}: {NO_GRACE}"
    yield from _readers(look, parties, before=kept.epoch if kept else None)
    yield from _by_hand(parties.consumers.awaited(kept) if kept else _takes_by_hand(look))
    if look.newer:
        yield from _asked_anew(look)
    yield from _sessions(look, parties)


def _takes_by_hand(look: Look) -> list[Consumer]:
    return [one for one in look.credential.consumers if one.kind == BY_HAND]


def _by_hand(people: Sequence[Consumer]) -> Iterator[Told]:
    if people:
        yield "would break", f"{who_takes_it(people)}, until a person gives it the new value by hand"


def _asked_anew(look: Look) -> Iterator[Told]:
    asked = ", ".join(f"{one.kind} {one.name}" for one in look.credential.consumers if one.kind != BY_HAND)
    if asked:
        yield "would ask anew", f"consumers, after the old value is dead: {asked}"


def _readers(look: Look, parties: Parties, *, before: int | None = None) -> Iterator[Told]:
    """Whoever reads any version, or only one from before this one."""
    if look.stored.current is None:
        return
    found = parties.readers.of(look.stored.current)
    if before is not None:
        living, unseen, forgotten = (
            tuple(one for one in some if one.version < before)
            for some in (found.living, found.unseen, found.forgotten)
        )
        found = replace(found, living=living, unseen=unseen, forgotten=forgotten)
    if found.living:
        yield "would refuse", _who(found.living)
    for some, why in (
        (found.unseen, "nobody knows for whom they read it"),
        (found.forgotten, "not heard of"),
    ):
        if some:
            yield "may refuse", f"{_who(some)}: {why}"
    if found.unknown:
        yield "readers unknown", f"others may be refused: {found.unknown}"
    elif not (found.living or found.unseen or found.forgotten):
        yield "readers:", "none known"


def _who(readers: tuple[Reader, ...]) -> str:
    return f"{len(readers)} known to read it: {named(readers)}"


def _sessions(look: Look, parties: Parties) -> Iterator[Told]:
    rotator = parties.rotator
    if not isinstance(rotator, ShowsSessions):
        return
    try:
        login = look.login() if rotator.changes_itself else None
        for text in rotator.open_sessions(login):
            yield "sessions", text
    except RotationError as error:
        yield "sessions unknown", error.what
