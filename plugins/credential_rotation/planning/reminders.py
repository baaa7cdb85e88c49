"""What people are reminded of: each thing once when its time comes nearer, and daily when it is late.

Rules this file keeps:
- Pure: what was told before comes in, and what is told now goes out.
- A time that lies before the last change is no time to remind of: nobody is told of what they have just done.
- Each line says what is to be done, and the command that says that it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from credential_rotation.by_hand import BY_HAND, how_to_close, how_to_confirm, named
from credential_rotation.model import Credential, Strategy
from credential_rotation.planning.planning import Known, confirm_until
from credential_rotation.planning.watchdog import Finding
from credential_rotation.times.schedule import falls_due

AHEAD = (30, 7, 1)
"""Days."""
MOST_SAID = 200
"""Of instructions; the page has all of them."""
AT_ONCE, LATE = 1000, 0
"""Stages beside those: as soon as there is something to do, and past its time, every day."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """One line of the digest, and how near its time is."""

    about: str
    """Told once for each stage."""
    stage: int
    """So many days ahead; the smaller, the more it hurries."""
    finding: Finding


def to_tell(reminders: Iterable[Reminder], told: Mapping[str, int]) -> list[Finding]:
    """Those whose stage was not told yet, and then all that are late, which come daily."""
    found = [one for one in reminders if _is_to_tell(one, told)]
    return [one.finding for one in sorted(found, key=lambda one: one.stage == LATE)]


def told_now(
    reminders: Iterable[Reminder], told: Mapping[str, int], shown: Collection[Finding]
) -> dict[str, int]:
    """What is told when these were shown: what is over is forgotten, and what had no room stays as it was."""
    found = {}
    for one in reminders:
        if one.finding in shown or not _is_to_tell(one, told):
            found[one.about] = one.stage
        elif one.about in told:
            found[one.about] = told[one.about]
    return found


def _is_to_tell(reminder: Reminder, told: Mapping[str, int]) -> bool:
    return reminder.stage == LATE or reminder.stage < told.get(reminder.about, reminder.stage + 1)


def stage_of(due: datetime, since: datetime, now: datetime, ahead: Sequence[int] = AHEAD) -> int | None:
    """How near it is; None where its first time has not come, or lies before the last change."""
    if due <= now:
        return LATE
    return min((days for days in ahead if since < due - timedelta(days=days) <= now), default=None)


def reminders_of(
    credentials: Iterable[Credential], known: Mapping[str, Known], now: datetime
) -> list[Reminder]:
    """All that a person has to do by hand, in the inventory's order."""
    return [
        reminder
        for credential in credentials
        for reminder in (
            *_changes(credential, known[credential.name], now),
            *_confirmations(credential, known[credential.name], now),
            *_announcements(credential, known[credential.name], now),
        )
    ]


def _changes(credential: Credential, known: Known, now: datetime) -> Iterator[Reminder]:
    """What no tool can change."""
    if credential.engine != BY_HAND or credential.policy.pause:
        return
    newest = known.newest
    due = falls_due(credential.policy, newest.written) if newest else None
    stage = LATE if newest is None or due is None else stage_of(due, newest.written, now)
    if stage is None:
        return
    when = "never closed, as far as the state folder knows"
    if due is not None:
        when = f"overdue since {due:%Y-%m-%d}"
        if due > now:
            when = f"due in {_days(due - now)}, on {due:%Y-%m-%d}"
    instructions = " ".join(credential.options["instructions"].split())
    short = instructions if len(instructions) <= MOST_SAID else f"{instructions[:MOST_SAID]}…"
    what = f"{when}, to be changed by hand: {short}. {how_to_close(credential.name)}"
    about = f"{credential.name} due {due.isoformat() if due else 'at once'}"
    yield Reminder(about, stage, Finding(credential.name, what, credential.owner))


def _days(left: timedelta) -> str:
    """Rounded up, as people count them."""
    days = -(-left // timedelta(days=1))
    return "1 day" if days == 1 else f"{days} days"


def _confirmations(credential: Credential, known: Known, now: datetime) -> Iterator[Reminder]:
    """A version that was handed on by nobody yet."""
    until, newest = confirm_until(credential, known), known.newest
    if newest is None:
        return
    stage = stage_of(until, newest.written, now, (1,)) if until is not None else None
    for one in known.awaited:
        what = f"{_state(credential, until, now)}. {how_to_confirm(credential.name, one, newest.epoch)}"
        about = f"{credential.name} version {newest.epoch} {newest.attempt} {one.name}"
        finding = Finding(credential.name, what, one.owner or credential.owner)
        yield Reminder(about, AT_ONCE if stage is None else stage, finding)


def _state(credential: Credential, until: datetime | None, now: datetime) -> str:
    if until is None:
        return "nobody has said that the value in use was handed on by hand"
    if credential.strategy is Strategy.IN_PLACE:
        return f"may be refused since {until:%Y-%m-%d}: a new value has to be handed on by hand"
    was = "had" if until <= now else "has"
    return f"a new value {was} to be handed on by hand until {until:%Y-%m-%d}; the old one lives on meanwhile"


def _announcements(credential: Credential, known: Known, now: datetime) -> Iterator[Reminder]:
    """In place nothing waits for anybody, so that people hear of a rotation before it comes."""
    people, newest = [one for one in credential.consumers if one.kind == BY_HAND], known.newest
    if credential.strategy is not Strategy.IN_PLACE or not people or newest is None:
        return
    due = falls_due(credential.policy, newest.written)
    if due is None or credential.policy.pause:
        return
    stage = stage_of(due, newest.written, now, (7, 1))
    if stage:
        what = f"is rotated in place from {due:%Y-%m-%d} on: have somebody give {named(people)} the new value"
        about = f"{credential.name} rotated on {due.isoformat()}"
        yield Reminder(about, stage, Finding(credential.name, what, credential.owner))
