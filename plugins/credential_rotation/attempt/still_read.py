"""Whether somebody still uses a replaced version: its end waits for exactly those.

Rules this file keeps:
- A living reader is waited for, from a day after grace on with a person's attention. Only compromise mode
  ends a value under its readers, and it names them.
- Where readers are not known, or were not heard of for too long, grace alone decides, and the steps say so;
  these are kept with what was done, and not for each hour in which nothing was.
- Whoever read what a rollback made CURRENT again is no reader of an old value.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from credential_rotation.attempt.look import Look
from credential_rotation.attempt.turn import Turn
from credential_rotation.model import Current, Record
from credential_rotation.readership import Reader

TELL_AFTER = timedelta(days=1)
"""After the end of grace: whoever reads until then keeps the value, and a person is told."""
MOST_NAMED = 5


def is_still_read(turn: Turn, look: Look) -> bool:
    """Whether the replaced versions have to live on for who reads them; asked once in an attempt."""
    if _is_news(turn, look) and turn.read_by:
        ends = look.rests_until
        is_overdue = ends is not None and turn.clock() > ends + TELL_AFTER
        turn.account.still_read(sentence(turn.read_by), is_overdue=is_overdue)
    return bool(turn.read_by)


def tell_broken(turn: Turn, look: Look) -> None:
    """In compromise mode: who is refused from now on."""
    if _is_news(turn, look) and turn.read_by:
        turn.account.readers_broken(sentence(turn.read_by, "was"))


def _is_news(turn: Turn, look: Look) -> bool:
    """Ask who reads what CURRENT has replaced, unless this attempt has asked that already."""
    current, own = look.stored.current, look.own
    if current is None or own is None or turn.read_by_asked_of == own.epoch:
        return False
    turn.read_by_asked_of, turn.read_by = own.epoch, _asked(turn, look, current, own)
    return True


def _asked(turn: Turn, look: Look, current: Current, own: Record) -> tuple[Reader, ...]:
    found = turn.readers.of(current)
    lives_on = {record.epoch for record in look.stored.records if record.secret == current.secret}

    def old(readers: Sequence[Reader]) -> list[Reader]:
        return [one for one in readers if one.version < own.epoch and one.version not in lives_on]

    if found.unknown:
        turn.account.routine("readers unknown", f"grace alone decides: {found.unknown}")
    if old(found.unseen):
        told = f"grace alone decides for whom {named(old(found.unseen))} asked"
        turn.account.routine("readers unknown", told)
    if old(found.forgotten):
        turn.account.routine("readers forgotten", f"not heard of for a day: {named(old(found.forgotten))}")
    return tuple(old(found.living))


def sentence(readers: Sequence[Reader], verb: str = "is") -> str:
    """Which versions they read, and who they are."""
    versions = ", ".join(str(version) for version in sorted({one.version for one in readers}))
    return f"version {versions} {verb} still read by {named(readers)}"


def named(readers: Sequence[Reader]) -> str:
    """The first few of them, each once, and how many more there are."""
    names = list(dict.fromkeys(one.who for one in sorted(readers, key=lambda one: (one.version, one.who))))
    more = len(names) - MOST_NAMED
    return "; ".join(names[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
