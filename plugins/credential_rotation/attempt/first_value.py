"""A value that works and is not in the vault yet becomes CURRENT as it is: nothing changes on the target.

Rules this file keeps:
- Only where nothing is stored yet: what CURRENT or a record holds is never replaced by what somebody brings.
- It logs in before it is written down, and what Bitwarden answers logs in again.
- The record comes first, as always: a crash in between leaves a version that the next pass finishes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from credential_rotation.attempt.by_person import own_stamps
from credential_rotation.attempt.complaints import brought_value_refused, could_not_ask, stored_already
from credential_rotation.attempt.ending import see_through
from credential_rotation.attempt.promotion import promote
from credential_rotation.attempt.turn import Clock, Parties, Turn
from credential_rotation.model import UNMANAGED_EPOCH, Answer, Credential, Secret, Strategy
from credential_rotation.outcome import Outcome
from credential_rotation.protocols import Session


def take_first_value(  # noqa: PLR0913 - who takes part, and what a person says
    credential: Credential,
    parties: Parties,
    secret: Secret,
    *,
    take_over: bool,
    clock: Clock,
    settle: timedelta,
) -> Outcome:
    """Prove this value, record it, and make it CURRENT."""
    turn = Turn(credential, parties, begin=None, clock=clock, settle=settle)
    return see_through(turn, lambda: _take(turn, secret, take_over=take_over))


def _take(turn: Turn, secret: Secret, *, take_over: bool) -> None:
    _insist_on_nothing_stored(turn)
    probe = turn.rotator.probe(secret)
    if probe.answer is Answer.UNKNOWN:
        raise could_not_ask(turn.credential, probe)
    if probe.answer is Answer.REFUSED:
        raise brought_value_refused(turn.credential, probe)
    login = secret if turn.rotator.changes_itself else None
    with turn.rotator.lock(login, changing=secret.principal) as session:
        turn.account.routine("locked")
        _insist_on_nothing_stored(turn)
        if turn.credential.strategy is not Strategy.OVERLAPPING:
            own_stamps(turn, cast("Session", session), take_over=take_over)
        turn.vault.reserve(None)
        record = turn.vault.record(
            epoch=UNMANAGED_EPOCH, attempt=turn.id, written=turn.clock(), secret=secret
        )
        turn.account.taken_as_first(record)
        look = turn.see()
        promote(turn, look, record)


def _insist_on_nothing_stored(turn: Turn) -> None:
    stored = turn.see().stored
    if stored.current is not None or stored.records or stored.intents:
        raise stored_already(turn.credential)
