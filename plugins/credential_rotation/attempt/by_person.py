"""What only a person may decide: taking over, what becomes of a key that nobody recorded, going back.

Rules this file keeps:
- Under the same lock as every attempt, after looking again.
- A key that CURRENT or a record names is never resolved away.
- Rollback is a new version that carries the old value, on proof that the old value still works everywhere.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from credential_rotation.attempt.adoption import adopt
from credential_rotation.attempt.complaints import (
    foreign_stamp,
    has_no_keys,
    key_is_known,
    no_such_key,
    nothing_to_go_back_to,
    only_forward,
)
from credential_rotation.attempt.ending import see_through
from credential_rotation.attempt.key_work import unknown_keys
from credential_rotation.attempt.look import Look
from credential_rotation.attempt.password_work import stamps
from credential_rotation.attempt.promotion import promote
from credential_rotation.attempt.turn import Clock, Parties, Turn
from credential_rotation.model import Credential, Record, Stamp, Strategy
from credential_rotation.outcome import Outcome
from credential_rotation.protocols import KeyRotator, KeySession, Session


def take_under_management(
    credential: Credential, parties: Parties, *, take_over: bool, clock: Clock, settle: timedelta
) -> Outcome:
    """Give a CURRENT that works its record; with `take_over` also where another journal left its stamp."""
    turn = Turn(credential, parties, begin=None, clock=clock, settle=settle)
    return see_through(turn, lambda: _take_under_management(turn, take_over=take_over))


def resolve(
    credential: Credential, parties: Parties, *, key: str, clock: Clock, settle: timedelta
) -> Outcome:
    """Remove a key that no record names: a person has found out that nobody uses it."""
    turn = Turn(credential, parties, begin=None, clock=clock, settle=settle)
    return see_through(turn, lambda: _resolve(turn, key))


def rollback(
    credential: Credential, parties: Parties, *, reason: str, clock: Clock, settle: timedelta
) -> Outcome:
    """Make the value before CURRENT's the current one again, while it lives."""
    turn = Turn(credential, parties, begin=None, clock=clock, settle=settle)
    return see_through(turn, lambda: _roll_back(turn, reason))


def _take_under_management(turn: Turn, *, take_over: bool) -> None:
    look = turn.see()
    login = look.login()
    with turn.rotator.lock(login, changing=look.idle) as session:
        turn.account.routine("locked")
        look = turn.see()
        current = look.stored.current
        if current is None or not look.works(current.secret):
            raise look.nothing_works()
        if turn.credential.strategy is not Strategy.OVERLAPPING:
            own_stamps(turn, cast("Session", session), take_over=take_over)
        adopt(turn, look)


def own_stamps(turn: Turn, session: Session, *, take_over: bool) -> None:
    """Refuse another journal's stamp, or put ours in its place where a person said so."""
    for principal in turn.credential.principals:
        stamp = session.stamp(principal)
        if stamp is None or stamp.journal == turn.vault.journal:
            continue
        if not take_over:
            raise foreign_stamp(turn.credential, stamp)
        session.restamp(principal, found=stamp, leave=Stamp(stamp.epoch, turn.id, turn.vault.journal))
        turn.account.recovered(f"{principal} is ours now; journal {stamp.journal} had stamped it")


def _resolve(turn: Turn, login: str) -> None:
    if turn.credential.strategy is not Strategy.OVERLAPPING:
        raise has_no_keys(turn.credential)
    look = turn.see()
    own = look.login() if turn.rotator.changes_itself else None
    with turn.rotator.lock(own, changing=look.idle) as locked:
        session = cast("KeySession", locked)
        look = turn.see()
        keys = session.keys()
        if login not in {key.login for key in keys}:
            raise no_such_key(turn.credential, login, keys)
        if login not in {key.login for key in unknown_keys(look, keys)}:
            raise key_is_known(turn.credential, login)
        session.deactivate(login)
        session.remove(login)
        turn.account.recovered(f"key {login} is deleted, as a person decided")


def _roll_back(turn: Turn, reason: str) -> None:
    look = turn.see()
    own = look.login() if turn.rotator.changes_itself else None
    with turn.rotator.lock(own, changing=look.idle) as session:
        turn.account.routine("locked")
        if turn.credential.strategy is not Strategy.OVERLAPPING:
            turn.stamps = stamps(turn, cast("Session", session))
        look = turn.see()
        if turn.revokes:
            raise only_forward(turn.credential)
        if turn.credential.strategy is Strategy.OVERLAPPING and not look.newer:
            _wake(turn, look, cast("KeySession", session), cast("KeyRotator", turn.rotator))
        before = _living(look)
        if look.newer or before is None:
            raise nothing_to_go_back_to(turn.credential, look.newer)
        turn.vault.reserve(look.stored.current)
        record = turn.vault.record(
            epoch=(look.newest_epoch or 0) + 1, attempt=turn.id, written=turn.clock(), secret=before.secret
        )
        turn.account.recorded(record)
        look.add(record)
        _move_stamp(turn, look, session, record)
        promote(turn, look, record, gated=turn.is_overlapping)
        turn.account.recovered(
            f"version {record.epoch} carries the value of version {before.epoch}: {reason}"
        )


def _move_stamp(turn: Turn, look: Look, session: Session | KeySession, record: Record) -> None:
    """Whoever was about to end this value, and has slept meanwhile, finds that the stamp has moved on."""
    found = turn.stamps.get(record.secret.principal)
    if found is None:
        return
    leave = Stamp(record.epoch, record.attempt, turn.vault.journal)
    cast("Session", session).restamp(record.secret.principal, found=found, leave=leave)
    look.forget()


def _wake(turn: Turn, look: Look, session: KeySession, rotator: KeyRotator) -> None:
    """Activate the replaced key that soaks, so that there is something to go back to."""
    there = session.keys()
    asleep = {key.login for key in there if not key.is_active}
    for record in look.older:
        if record.secret.login in asleep:
            session.activate(record.secret.login)
            rotator.wait_until_valid(record.secret)
            look.forget()
            turn.account.step("activated", f"key {record.secret.login} of version {record.epoch}")
            return


def _living(look: Look) -> Record | None:
    """The newest replaced version whose value still logs in."""
    current = look.stored.current
    older = [one for one in look.older if current is None or one.secret != current.secret]
    return next((record for record in older if look.works(record.secret)), None)
