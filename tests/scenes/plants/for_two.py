"""Mistakes that only two runners notice, or one that is slow: the breach of what keeps them apart.

The rules of `for_one` hold here too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from credential_rotation.attempt import by_person, password_work, promotion
from credential_rotation.attempt.key_work import KeyWork
from credential_rotation.attempt.look import Look
from credential_rotation.attempt.password_work import PasswordWork
from credential_rotation.attempt.turn import Turn
from credential_rotation.model import Intent, Record, Stamp
from credential_rotation.protocols import Session
from scenes.plants.for_one import Patch


def apply_on_another_session(patch: Patch) -> None:
    """Accident 6: the session that applies is not the one that locked, and outlives it."""
    real = promotion.apply

    def apply(turn: Turn, look: Look, session: Session, record: Record) -> None:
        real(turn, look, cast("Any", type(session))(cast("Any", session).target), record)

    patch(password_work, "apply", apply)


class _Careless:
    """A session that kills with a stamp of its own choice."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)


class _KillsAnyway(_Careless):
    def kill(self, record: Record, *, found: Stamp | None, leave: Stamp) -> None:
        found = self._session.stamp(record.secret.principal)
        self._session.kill(record, found=found, leave=leave)


def kill_whatever_the_stamp_says(patch: Patch) -> None:
    """Accident 7: the stamp is read when the value is ended, and so is always as expected."""
    real = PasswordWork._end

    def end(work: PasswordWork, record: Record) -> bool:
        return real(replace(work, session=cast("Session", _KillsAnyway(work.session))), record)

    patch(PasswordWork, "_end", end)


def apply_whatever_the_stamp_says(patch: Patch) -> None:
    """fence: the same where a value is applied."""
    real = promotion.apply

    def apply(turn: Turn, look: Look, session: Session, record: Record) -> None:
        turn.stamps = password_work.stamps(turn, session)
        real(turn, look, session, record)

    patch(password_work, "apply", apply)


def stamps_after_the_vault(patch: Patch) -> None:
    """What another run does between the two looks is unknown, and its stamp expected."""
    real = PasswordWork.prepare

    def prepare(work: PasswordWork) -> None:
        work.turn.stamps = password_work.stamps(work.turn, work.session)
        real(work)

    patch(PasswordWork, "prepare", prepare)


def rollback_without_a_stamp(patch: Patch) -> None:
    """Going back leaves the stamp that whoever ends the old value expects."""
    patch(by_person, "_move_stamp", lambda *_: None)


def judge_young_keys(patch: Patch) -> None:
    """Accident 11, old-enough: a key is judged though its run may still write it down."""
    real = KeyWork._settle

    def settle(work: KeyWork, intent: Intent) -> None:
        kept, work.turn.settles_at = work.turn.settles_at, None
        try:
            real(work, intent)
        finally:
            work.turn.settles_at = kept

    patch(KeyWork, "_settle", settle)


def judge_by_records_from_before(patch: Patch) -> None:
    """Accident 12: the time to settle may end after the records were read."""

    def is_settling(turn: Turn) -> bool:
        return not turn.revokes and turn.settles_at is not None and turn.settles_at > turn.clock()

    patch(Turn, "is_settling", property(is_settling))


def no_look_again(patch: Patch) -> None:
    """look-again: what was seen before the lock is trusted after it."""
    real = Turn.see
    patch(Turn, "see", lambda turn: turn.look or real(turn))
