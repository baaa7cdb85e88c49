"""From a record to CURRENT: apply, verify, write once, read back, prove.

Rules this file keeps:
- Nothing becomes CURRENT that was not just seen to log in, and what Bitwarden answers is proved again.
- Where the old value lives on, every endpoint has to accept the new one before CURRENT is written; and as
  that takes time, CURRENT is read again, so that no person's edit is written over. Compromise mode waits for
  no endpoint; it tells which does not accept the new value.
- An apply whose answer is lost may have happened: everything that was answered before is forgotten.
"""

from __future__ import annotations

from dataclasses import replace

from credential_rotation.attempt.complaints import (
    another_value,
    edited_meanwhile,
    refused_after_apply,
    refused_by_endpoint,
    unlike_twins,
)
from credential_rotation.attempt.look import Look
from credential_rotation.attempt.turn import Turn
from credential_rotation.errors import ApplyUnknown
from credential_rotation.model import Answer, Current, Probe, Record, Stamp
from credential_rotation.protocols import Session


def compare(turn: Turn, look: Look, session: Session, principal: str) -> None:
    """Of a pair: whoever takes over may do what the other may. Raises: TargetRefused, TargetUnknown."""
    current = look.stored.current
    if current is None or current.secret.principal == principal:
        return
    differences = session.differences(principal, current.secret.principal)
    if differences:
        raise unlike_twins(turn.credential, principal, differences)


def apply(turn: Turn, look: Look, session: Session, record: Record) -> None:
    """Make the record's value valid on the target. Raises: TargetRefused, ApplyUnknown."""
    principal = record.secret.principal
    leave = Stamp(record.epoch, record.attempt, turn.vault.journal)
    try:
        session.apply(record, found=turn.stamps[principal], leave=leave)
    except ApplyUnknown:
        look.forget()
        raise
    finally:
        for note in session.notes:
            turn.account.routine("note", note)
    look.forget()
    look.expect(record.secret)
    turn.stamps[principal] = leave
    turn.account.applied(record)


def promote(turn: Turn, look: Look, record: Record, *, gated: bool = False) -> None:
    """Verify, write once, read back, and log in with what came back.

    `gated`: the old value still works, so that endpoints are asked before, and not only after.
    """
    if not look.works(record.secret):
        raise refused_after_apply(turn.credential, record)
    turn.account.new_works(record)
    for probe in turn.rotator.known_at_endpoints(record.secret) if gated and not turn.revokes else ():
        if probe.answer is not Answer.WORKS:
            raise refused_by_endpoint(turn.credential, record, probe)
        turn.account.new_works(record, probe.where)
    newer = record in look.newer
    before = _read_again(turn, look) if gated else look.stored.current
    current_id = turn.vault.promote(before, record, attempt=turn.id, now=turn.clock())
    turn.account.promoted(record, newer=newer)
    back = turn.vault.read_back(current_id)
    if back.secret != record.secret:
        raise another_value(turn.credential)
    look.stored = replace(look.stored, current=back)
    turn.nothing_works = False
    prove(turn, back, look.own, is_new=True)


def _read_again(turn: Turn, look: Look) -> Current | None:
    """CURRENT right before it is written, with what a person has noted. Raises: Busy (another value)."""
    before = look.stored.current
    if before is None:
        return None
    now = turn.vault.read_back(before.id)
    if now.secret != before.secret:
        raise edited_meanwhile(turn.credential)
    return now


def prove(turn: Turn, current: Current, own: Record | None, *, is_new: bool = False) -> bool:
    """Ask the primary, every endpoint and every consumer about the value that Bitwarden answered.

    Of in_place the old value is dead by now, so that these answers no longer gate: what does not
    work is unproved, asked again, and keeps the run from being green. The answer is whether the value
    before may be ended: CURRENT works everywhere, and no consumer is broken.
    """
    endpoints = turn.rotator.known_at_endpoints if is_new else turn.rotator.endpoints
    places = (turn.rotator.probe(current.secret), *endpoints(current.secret))
    for probe in places:
        turn.account.current_answered(own, probe)
    consumers = turn.consumers.check(current, own)
    for probe in consumers:
        turn.account.consumer_answered(own, probe)
    return _all_work(places) and not any(probe.answer is Answer.REFUSED for probe in consumers)


def _all_work(probes: tuple[Probe, ...]) -> bool:
    return all(probe.answer is Answer.WORKS for probe in probes)
