"""Whether somebody who takes values by hand still needs a replaced one: a person's word ends that, not time.

Rules this file keeps:
- After the deadline a person is told, and the value lives on. Only compromise mode ends it unasked, and it
  names whom it breaks.
- A word for one version says nothing of another; what cannot be read was not said.
- In place there is nothing to wait with: the old value is dead when the new one is applied.
"""

from __future__ import annotations

from credential_rotation.attempt.look import Look
from credential_rotation.attempt.turn import Turn
from credential_rotation.model import Record
from credential_rotation.times.schedule import confirm_by


def is_awaited(turn: Turn, look: Look) -> bool:
    """Whether replaced versions have to live on for who takes values by hand; asked once in an attempt."""
    own = look.own
    if own is not None and look.older and _is_news(turn, own) and turn.awaited:
        until = confirm_by(turn.credential.policy, own.written)
        turn.account.awaits_people(turn.awaited, own, until)
    return bool(turn.awaited)


def tell_people_broken(turn: Turn, look: Look) -> None:
    """In compromise mode: who is refused from now on, until a person gives them the new value."""
    own = look.own
    if own is not None and _is_news(turn, own) and turn.awaited:
        turn.account.people_broken(turn.awaited)


def _is_news(turn: Turn, own: Record) -> bool:
    """Ask of whom nobody has said that they have CURRENT, unless this attempt has asked that already."""
    if turn.awaited_asked_of == own.epoch:
        return False
    turn.awaited_asked_of, turn.awaited = own.epoch, turn.consumers.awaited(own)
    return True
