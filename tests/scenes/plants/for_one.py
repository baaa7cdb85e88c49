"""Mistakes, each the breach of one rule in the product's own code: what looks for them has to see them.

Rules this file keeps:
- A plant exchanges one small function of the real code, and is no protocol of its own.
- It is told how to exchange (`setattr`, or a test's that puts everything back), and runs against simulators
  and real parts alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from credential_rotation.attempt import (
    adoption,
    attempt,
    by_person,
    key_work,
    password_work,
    promotion,
    retirement,
)
from credential_rotation.attempt.key_work import KeyWork
from credential_rotation.attempt.look import Look
from credential_rotation.attempt.password_work import PasswordWork
from credential_rotation.attempt.turn import Turn
from credential_rotation.errors import ApplyUnknown
from credential_rotation.journal.journal import Journal
from credential_rotation.model import Current, Intent, Key, Record
from credential_rotation.protocols import Session

Patch = Callable[[Any, str, Any], None]
Plant = Callable[[Patch], None]


def drop_before_current(patch: Patch) -> None:
    """Accident 1: the record goes before CURRENT is written."""

    def promote(turn: Turn, look: Look, record: Record, *, gated: bool = False) -> None:
        turn.vault.delete((record.id,))
        real(turn, look, record, gated=gated)

    real = promotion.promote
    patch(password_work, "promote", promote)


def retire_every_record(patch: Patch) -> None:
    """Accidents 2 and 3: CURRENT's own record counts as replaced."""
    patch(Look, "older", property(lambda look: look.stored.records))
    patch(retirement, "_goes", lambda _turn, _look, record, end, _by: end(record))


def one_slot(patch: Patch) -> None:
    """Accident 4: every new version is written into one place, so that a late write overwrites."""
    real = PasswordWork.begin

    def begin(work: PasswordWork) -> None:
        vault = cast("Any", work.turn.vault)
        kept, vault._ids = vault._ids, itertools.repeat("slot")
        try:
            real(work)
        finally:
            vault._ids = kept

    patch(PasswordWork, "begin", begin)


def drop_on_apply_error(patch: Patch) -> None:
    """Accident 5: an apply without an answer counts as one that did not happen."""
    real = promotion.apply

    def apply(turn: Turn, look: Look, session: Session, record: Record) -> None:
        try:
            real(turn, look, session, record)
        except ApplyUnknown:
            turn.vault.delete((record.id,))
            raise

    patch(password_work, "apply", apply)


def delete_without_proof(patch: Patch) -> None:
    """Accident 8: a key that appeared after an intent counts as its."""

    def judge(work: KeyWork, key: Key, _intent: Intent) -> None:
        work.session.deactivate(key.login)
        work.session.remove(key.login)

    patch(KeyWork, "_judge", judge)


def suspect_recorded_keys(patch: Patch) -> None:
    """Accident 9: a key that a record names is suspected like any other."""
    delete_without_proof(patch)
    patch(key_work, "unknown_keys", lambda _look, keys: keys)


def overwrite_by_guess(patch: Patch) -> None:
    """Accident 10: no stored value works, and the run goes on."""
    patch(attempt, "_heal", lambda turn, _look: setattr(turn, "nothing_works", True))


def adopt_by_rewriting(patch: Patch) -> None:
    """Accident 13: CURRENT is written again just to take it over."""

    def adopt(turn: Turn, look: Look) -> None:
        if look.own is None and look.stored.current is not None:
            current = look.stored.current
            made = Record("x", 0, turn.id, current.revised, current.revised, current.secret)
            turn.vault.promote(current, made, attempt=turn.id, now=turn.clock())
        real(turn, look)

    real = adoption.adopt
    patch(attempt, "adopt", adopt)
    patch(by_person, "adopt", adopt)


def record_after_apply(patch: Patch) -> None:
    """The target knows a value first, the vault after it."""

    def begin(work: PasswordWork) -> None:
        turn, look = work.turn, work.look
        now, secret = turn.clock(), work.rotator.mint(look.idle)
        loose = Record("x", (look.newest_epoch or 0) + 1, turn.id, now, now, secret)
        promotion.apply(turn, look, work.session, loose)
        kept = turn.vault.record(epoch=loose.epoch, attempt=turn.id, written=now, secret=secret)
        look.add(kept)
        promotion.promote(turn, look, kept)
        turn.account.rotated(kept)

    patch(PasswordWork, "begin", begin)


def promote_before_verify(patch: Patch) -> None:
    """CURRENT is written first, and the target told after it."""
    real = promotion.apply

    def apply(turn: Turn, look: Look, session: Session, record: Record) -> None:
        early = turn.vault.promote(look.stored.current, record, attempt=turn.id, now=turn.clock())
        look.stored = replace(look.stored, current=turn.vault.read_back(early))
        real(turn, look, session, record)

    patch(password_work, "apply", apply)


def set_it_again(patch: Patch) -> None:
    """forward: what may have been applied is applied again, also where the stamp says that it was."""
    patch(PasswordWork, "_was_changed_since", lambda _work, _chosen: False)


def forget_own_record(patch: Patch) -> None:
    """keep-record: CURRENT is thought to be enough."""
    real = promotion.promote

    def promote(turn: Turn, look: Look, record: Record, *, gated: bool = False) -> None:
        real(turn, look, record, gated=gated)
        turn.vault.delete((record.id,))

    patch(password_work, "promote", promote)


def no_adopt(patch: Patch) -> None:
    """The first value gets no record."""
    patch(attempt, "adopt", lambda _turn, _look: None)


def no_forward(patch: Patch) -> None:
    """What was begun is left as it is."""
    patch(PasswordWork, "finish", lambda _work: None)


def no_settle(patch: Patch) -> None:
    """Nobody waits for what may still land."""
    patch(Turn, "is_settling", property(lambda _: False))


def no_epoch_order(patch: Patch) -> None:
    """Versions are told apart by anything but their number."""
    patch(Record, "order", property(lambda record: (-record.epoch, record.written, record.attempt)))


def no_proof_of_death(patch: Patch) -> None:
    """Retired without asking."""
    patch(retirement, "_is_dead", lambda *_: True)


def old_value_lives(patch: Patch) -> None:
    """No proof, on a pair whose kill is thought to have happened."""
    no_proof_of_death(patch)
    patch(PasswordWork, "_end", lambda _work, _record: True)


class _Unread:
    """A vault that answers what was written, without asking."""

    def __init__(self, vault: object, record: Record) -> None:
        self._vault, self._record = vault, record

    def __getattr__(self, name: str) -> object:
        return getattr(self._vault, name)

    def read_back(self, _: str) -> Current:
        current = cast("Any", self._vault).current
        return cast("Current", replace(current, secret=self._record.secret))


def no_read_back(patch: Patch) -> None:
    """What was written is thought to be there."""
    real = promotion.promote

    def promote(turn: Turn, look: Look, record: Record, *, gated: bool = False) -> None:
        kept, turn.vault = turn.vault, cast("Any", _Unread(turn.vault, record))
        try:
            real(turn, look, record, gated=gated)
        finally:
            turn.vault = kept

    patch(password_work, "promote", promote)


# --- what needs the real vault ---------------------------------------------------------------------------


def no_record(patch: Patch) -> None:
    """The target is changed before the value is written down anywhere (rule 1)."""

    def keep(self: Journal, **version: Any) -> Record:  # noqa: ANN401 - as the journal's own
        del self
        return Record(id="-", revised=version["written"], **version)

    patch(Journal, "record", keep)
