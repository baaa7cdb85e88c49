"""One attempt: look, lock, look again, heal, adopt, finish, sweep, retire, and only then begin.

Every DAG and command runs this; whether a new version may begin is all that differs. Recovery is running
it again. The rules are those of the rotation protocol (docs/protocol.md), each with the accident behind it:

- A record is written before its value is applied and never updated (1). CURRENT is written once, with the
  value that was just proved (2). A record that may have been applied is rolled forward, never dropped (3).
- Not knowing ends the attempt and changes nothing (4). What becomes CURRENT was proved before, and is read
  back and proved again after (5).
- Nobody's value is overwritten by guess (6). What is retired is proved dead before its record goes (7).
- Effects happen only under the lock, on the session that holds it, after the vault was read again (8).
- Behind an attempt that was not seen to end, begin and retire wait until its writes cannot land (9).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import cast

from credential_rotation.attempt.adoption import adopt
from credential_rotation.attempt.awaited import is_awaited, tell_people_broken
from credential_rotation.attempt.complaints import changed_meanwhile, overtaken
from credential_rotation.attempt.ending import see_through
from credential_rotation.attempt.key_work import KeyWork
from credential_rotation.attempt.look import Look
from credential_rotation.attempt.password_work import PasswordWork, stamps
from credential_rotation.attempt.promotion import promote
from credential_rotation.attempt.retirement import forget_over, holds_up, sweep
from credential_rotation.attempt.still_read import sentence
from credential_rotation.attempt.turn import Clock, Parties, Turn
from credential_rotation.attempt.work import Work
from credential_rotation.by_hand import awaits
from credential_rotation.errors import NoStoredValueWorks, TargetRefused, TargetUnknown
from credential_rotation.model import Credential, Strategy
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Decision, Request, due
from credential_rotation.protocols import KeyRotator, KeySession, Rotator, Session

IN_GRACE = "the value before it lives on until its grace is over; the next one begins after that"
UNRETIRED = "a replaced version is not proved dead yet; the next one begins after that"
UNSETTLED = "an earlier attempt was not seen to end; its writes may still land"
ADOPTED = "what a person has stored was taken over a moment ago, and whoever wrote it may not be done yet"


Lock = AbstractContextManager[Session | KeySession]


def attempt(
    credential: Credential,
    parties: Parties,
    *,
    begin: Request | None,
    clock: Clock,
    settle: timedelta,
) -> Outcome:
    """Repair CURRENT, finish what was begun, retire what is over, and only then begin.

    `begin` is None for a pass that begins nothing. Whatever keeps the attempt from its end becomes an
    outcome with a reason and a next step; only a crash escapes.
    """
    turn = Turn(credential, parties, begin=begin, clock=clock, settle=settle)
    return see_through(turn, lambda: _run(turn))


def _run(turn: Turn) -> None:
    """The order of effects."""
    look = turn.see()
    if not _has_work(turn, look):
        return
    with _locked(turn, look) as session:
        turn.account.routine("locked")
        work, look = _work(turn, session)
        work.prepare()
        _heal(turn, look)
        adopt(turn, look)
        work.finish()
        sweep(turn, look)
        work.retire()
        if _may_begin(turn, look):
            work.begin()
            work.retire()
        if turn.revokes and _ends_sessions(turn, look):
            work.disconnect()
            _insist_on_current(turn, look)
            tell_people_broken(turn, look)
            turn.account.revoked(turn.revokes_since)
        forget_over(turn, look)


@contextmanager
def _locked(turn: Turn, look: Look) -> Iterator[Session | KeySession]:
    """The lock; who logs in with a value that another attempt has replaced meanwhile is late, not broken."""
    with ExitStack() as held:
        try:
            login = look.login() if turn.rotator.changes_itself else None
            lock: Lock = turn.rotator.lock(login, changing=look.idle)
            session = held.enter_context(lock)
        except (TargetRefused, TargetUnknown, NoStoredValueWorks):
            if not turn.rotator.changes_itself or not look.stored.is_overtaken_by(turn.vault.look()):
                raise
            raise overtaken(turn.credential) from None
        yield session


def _work(turn: Turn, session: Session | KeySession) -> tuple[Work, Look]:
    """The steps that fit the strategy; the inventory sees to it that engine and strategy agree.

    The target is looked at before the vault: what another attempt did until then is in the records that
    are read now, and what it does later moves the stamp. The other way round, its version would be unknown
    and its stamp expected.
    """
    if turn.credential.strategy is Strategy.OVERLAPPING:
        key_session = cast("KeySession", session)
        keys, look = key_session.keys(), turn.see()
        return KeyWork(turn, look, cast("KeyRotator", turn.rotator), key_session, keys), look
    password_session = cast("Session", session)
    turn.stamps = stamps(turn, password_session)
    look = turn.see()
    return PasswordWork(turn, look, cast("Rotator", turn.rotator), password_session), look


# --- looking -------------------------------------------------------------------------------------------


def _decide(turn: Turn, look: Look) -> Decision:
    if turn.request is None:
        return Decision(begin=False, reason="works, nothing is open")
    return due(turn.credential.policy, look.own, turn.request, turn.clock())


def _has_work(turn: Turn, look: Look) -> bool:
    """Whether there is an effect to make; without one nothing is locked."""
    if turn.revokes:
        return True  # an earlier attempt of the same request may have left sessions open
    decision = _decide(turn, look)
    current = look.stored.current
    if current is None:
        if not look.stored.records and not decision.begin:
            turn.account.not_begun(replace(decision, reason=f"nothing is stored yet; {decision.reason}"))
        return bool(look.stored.records or look.stored.intents) or decision.begin
    if look.newer or look.own is None or look.stored.intents:
        return True
    left_over = bool(look.stored.duplicates or look.stray_endings)
    has_end = left_over or (bool(look.older) and not turn.is_in_grace(look))
    can_begin = decision.begin and not turn.is_in_grace(look)
    if (has_end or can_begin) and not turn.is_settling:
        return True
    if not look.works(current.secret):
        return True
    if has_end or decision.begin or (decision.needs_approval and turn.is_in_grace(look)):
        _wait(turn, look)
    else:
        is_awaited(turn, look)  # told in grace already, where nothing is ended in any case
        turn.account.not_begun(decision)
    return False


def _wait(turn: Turn, look: Look) -> None:
    """Say why nothing new can begin now."""
    if turn.is_settling:
        turn.account.waiting(turn.settles_at, ADOPTED if look.is_adopted else UNSETTLED)
    elif turn.is_in_grace(look):
        turn.account.waiting(look.rests_until, IN_GRACE)
    elif turn.read_by:
        turn.account.waiting(None, f"{sentence(turn.read_by)}; the next one begins after that")
    elif turn.awaited:
        turn.account.waiting(
            turn.account.seen.until, f"{awaits(turn.awaited)}; the next one begins after that"
        )
    else:
        turn.account.waiting(None, UNRETIRED)


# --- the steps -----------------------------------------------------------------------------------------


def _heal(turn: Turn, look: Look) -> None:
    """CURRENT refused: the newest record that logs in takes its place; to revoke, none from before."""
    current = look.stored.current
    if current is None or look.works(current.secret):
        return
    turn.account.step("refused", "CURRENT no longer logs in")
    for record in look.heirs if turn.revokes else look.stored.records:
        if look.may_try(record.secret) and look.works(record.secret):
            promote(turn, look, record)
            turn.account.recovered(f"CURRENT was refused; version {record.epoch} logs in and took its place")
            return
    if turn.request is None or not turn.request.force or turn.rotator.changes_itself:
        raise look.nothing_works()
    turn.nothing_works = True
    turn.account.step("forced", "no stored value works; an admin sets a new one")


def _ends_sessions(turn: Turn, look: Look) -> bool:
    """Not each hour again where all that is left is an endpoint that does not answer: a note says so."""
    left = [record for record in look.older if record not in turn.over]
    is_noted = all(look.ending_of(record) for record in left)
    seen = turn.account.seen
    return turn.asks_to_revoke or seen.has_changed_target or seen.has_promoted or not left or not is_noted


def _insist_on_current(turn: Turn, look: Look) -> None:
    """Whoever had a session open could change the password until it was ended. Raises: TargetRefused."""
    current = look.stored.current
    look.forget()
    if current is None:
        return
    look.expect(current.secret)
    if not look.works(current.secret):
        raise changed_meanwhile(turn.credential)


def _may_begin(turn: Turn, look: Look) -> bool:
    decision = _decide(turn, look)
    is_held = turn.is_settling or (holds_up(turn, look) and not turn.nothing_works)
    if decision.needs_approval and is_held:
        _wait(turn, look)  # nobody is asked for what could not begin yet
        return False
    if not decision.begin or (turn.account.seen.has_promoted_newer and not turn.revokes):
        turn.account.not_begun(decision)
        return False
    if is_held:
        _wait(turn, look)
        return False
    approval = turn.request.approval if turn.request else None
    if approval is not None:
        turn.account.step("approved", f"by {approval.by}, {approval.at:%Y-%m-%d %H:%M} UTC")
    return True
