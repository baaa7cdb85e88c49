"""The steps of an attempt where we bring the values: one role, or a pair of roles that take turns.

Rules this file keeps:
- A record is written before its value is applied; one that may have been applied is applied again, never
  dropped.
- A foreign stamp ends the attempt; the version that our own names is asked first. Where that one is refused,
  somebody has set another value since, and none of ours is set again without a person's word.
- To revoke, the role that is not in use loses its password whatever it is: it may be a thief's own.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from credential_rotation.attempt.complaints import changed_since, foreign_stamp
from credential_rotation.attempt.look import Look
from credential_rotation.attempt.promotion import apply, compare, promote
from credential_rotation.attempt.retirement import retire, speaks_against_end
from credential_rotation.attempt.turn import Turn
from credential_rotation.attempt.wrong_logins import dead_by_catalog, has_moved_on, is_named, weigh
from credential_rotation.errors import OnlyByHand, RotationError
from credential_rotation.model import Answer, Current, Probe, Record, Stamp
from credential_rotation.protocols import Rotator, Session


def stamps(turn: Turn, session: Session) -> dict[str, Stamp | None]:
    """Our mark on each principal. Raises: TargetUnknown, TargetRefused (a comment that cannot be kept)."""
    return {principal: session.stamp(principal) for principal in turn.credential.principals}


@dataclass(frozen=True, slots=True)
class PasswordWork:
    """Implements `work.Work` for strategies in_place and alternating."""

    turn: Turn
    look: Look
    rotator: Rotator
    session: Session

    def prepare(self) -> None:
        """Refuse a foreign stamp; ask first about the versions that our own ones name."""
        for principal, stamp in self.turn.stamps.items():
            if stamp is not None and stamp.journal != self.turn.vault.journal:
                raise foreign_stamp(self.turn.credential, stamp)
            weigh(self.look, principal, stamp)
            if stamp is None:
                continue
            mark = (stamp.epoch, stamp.attempt)
            records = self.look.stored.records
            named = next((one for one in records if (one.epoch, one.attempt) == mark), None)
            if named is not None and self.look.may_try(named.secret):
                self.look.ask(named.secret)

    def finish(self) -> None:
        """A newer version is open: probe it, else apply it again, and promote it."""
        newer = self.look.newer
        if not newer:
            return
        record = next((record for record in newer if self.look.works(record.secret)), None)
        chosen = record or newer[0]
        if record is None and self._was_changed_since(chosen):
            return
        compare(self.turn, self.look, self.session, chosen.secret.principal)
        before = self.look.stored.current
        if record is None:
            self.turn.vault.reserve(self.look.stored.current)
            apply(self.turn, self.look, self.session, chosen)
        promote(self.turn, self.look, chosen, gated=self.turn.is_overlapping)
        self.turn.account.recovered(f"version {chosen.epoch} had been begun and is finished")
        self._tell_left_over(before)

    def _was_changed_since(self, chosen: Record) -> bool:
        """Whether somebody has set another value since ours: then no version of ours is set again.

        A person's force allows to go on, with a new one. Raises: TargetRefused.
        """
        answered = self.look.known(chosen.secret)
        is_set = is_named(chosen, self.turn.stamps[chosen.secret.principal])
        if not is_set or answered is None or answered.answer is not Answer.REFUSED:
            return False
        if self.turn.request is None or not self.turn.request.force:
            raise changed_since(self.turn.credential, chosen)
        self.turn.account.step(
            "forced", f"version {chosen.epoch} was changed by somebody, and is not set again"
        )
        return True

    def retire(self) -> None:
        """Of a pair, end the replaced role's value first; of one role it died when it was replaced."""
        retire(self.turn, self.look, self._end, by_catalog=self._by_catalog)

    def begin(self) -> None:
        """Mint, write down, apply, promote."""
        turn, look = self.turn, self.look
        compare(turn, look, self.session, look.idle)
        before = look.stored.current
        turn.vault.reserve(before)
        epochs = [look.newest_epoch or 0, *(stamp.epoch for stamp in turn.stamps.values() if stamp)]
        record = turn.vault.record(
            epoch=max(epochs) + 1,
            attempt=turn.id,
            written=turn.clock(),
            secret=self.rotator.mint(look.idle),
            revokes=turn.asks_to_revoke,
        )
        turn.account.recorded(record)
        look.add(record)
        apply(turn, look, self.session, record)
        promote(turn, look, record, gated=turn.is_overlapping)
        turn.account.rotated(record)
        self._tell_left_over(before)

    def disconnect(self) -> None:
        """End the open sessions of every role of the entry: a changed password ends none."""
        for principal in self.turn.credential.principals:
            try:
                ended = self.session.disconnect(principal)
            except RotationError as error:
                self.turn.account.sessions_left(principal, error)
            else:
                self.turn.account.step("disconnected", f"{ended} sessions of {principal}")
        current, roles = self.look.stored.current, " and ".join(self.turn.credential.principals)
        for where, found in self.rotator.disconnect_at_endpoints(current.secret if current else None):
            if isinstance(found, OnlyByHand):
                self.turn.account.left_to_a_person(found)
            elif isinstance(found, RotationError):
                self.turn.account.sessions_left(f"{roles} at {where}", found)
            else:
                self.turn.account.step("disconnected", f"{found} sessions of {roles} at {where}")
        self._note_that_sessions_were_ended()

    def _note_that_sessions_were_ended(self) -> None:
        """For the hourly runs, which go on where an endpoint has not said yet that an old value is dead."""
        if self.look.revoking is None or self.turn.is_settling:
            return
        for record in self.look.older:
            if record in self.turn.over or self.look.ending_of(record):
                continue
            with suppress(RotationError):  # then sessions are ended once more
                self.look.add_ending(self.turn.vault.begin_ending(record, now=self.turn.clock()))

    def _tell_left_over(self, before: Current | None) -> None:
        """Note who logged in with the value that was replaced; not to know is no trouble of the rotation."""
        if before is None:
            return
        with suppress(RotationError):
            who = self.session.left_over(before.secret.principal)
            if who:
                self.turn.account.routine("still connected", f"as {before.secret.principal}: {who}")

    def _end(self, record: Record) -> bool:
        """End a value that lives on beside CURRENT; whether it can be asked for its death now."""
        current, principal = self.look.stored.current, record.secret.principal
        if current is None or not self.turn.is_overlapping or principal == current.secret.principal:
            return True
        stamp = self.turn.stamps[principal]
        weigh(self.look, principal, stamp)  # it may have been replaced only in this attempt
        is_not_ended = stamp is not None and not has_moved_on(record, stamp)
        if self.turn.asks_to_revoke or (self.turn.revokes and is_not_ended):
            with suppress(RotationError):  # told at the end
                self.session.disconnect(principal)
        elif not self.look.works(record.secret):
            return True
        if speaks_against_end(self.turn, self.look, record):
            return False
        leave = Stamp(record.epoch, self.turn.id, self.turn.vault.journal)
        self.session.kill(record, found=self.turn.stamps[principal], leave=leave)
        self.turn.stamps[principal] = leave
        self.look.forget()
        self.look.expect(current.secret)
        for name, stamp in self.turn.stamps.items():
            weigh(self.look, name, stamp)
        self.turn.account.ended(record)
        return True

    def _by_catalog(self, record: Record) -> Probe:
        """Whether the target's own marks prove a replaced value dead, read again under the lock."""
        return dead_by_catalog(self.look, record, self.session.stamp(record.secret.principal))
