"""One attempt: look, lock, look again, heal, adopt, finish, retire, and only then begin.

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

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credential_rotation.complaints import another_value, foreign_stamp, nothing_works, refused_after_apply
from credential_rotation.ending import Ending
from credential_rotation.errors import ApplyUnknown, RotationError, VaultTrouble, VaultUnknown
from credential_rotation.look import Look
from credential_rotation.model import UNMANAGED_EPOCH, Answer, Credential, Current, Record, Stamp
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Decision, Request, due
from credential_rotation.protocols import Consumers, Rotator, Session, Vault

Clock = Callable[[], datetime]

UNSETTLED = "an earlier attempt was not seen to end; its writes may still land"
UNRETIRED = "a replaced version is not proved dead yet; the next one begins after that"


@dataclass(frozen=True, slots=True)
class Parties:
    """Who takes part in a credential's rotation."""

    vault: Vault
    rotator: Rotator
    consumers: Consumers


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
    this = _Attempt(credential, parties, begin=begin, clock=clock, settle=settle)
    try:
        this.run()
    except RotationError as error:
        return this.ending.failed(error, this.look)
    return this.ending.outcome(this.look)


class _Attempt:
    """The order of effects; `ending` keeps what was done for those who read it later."""

    def __init__(
        self,
        credential: Credential,
        parties: Parties,
        *,
        begin: Request | None,
        clock: Clock,
        settle: timedelta,
    ) -> None:
        self.credential = credential
        self.vault = parties.vault
        self.rotator = parties.rotator
        self.consumers = parties.consumers
        self.request = begin
        self.clock = clock
        self.settle = settle
        self.id = secrets.token_hex(6)
        self.ending = Ending(credential, self.id, clock)
        self.look: Look | None = None
        self.stamp: Stamp | None = None
        self.settles_at: datetime | None = None
        self.nothing_works = False

    def run(self) -> None:
        look = self.see()
        if not self.has_work(look):
            return
        login = look.login() if self.rotator.changes_itself else None
        with self.rotator.lock(login) as session:
            self.ending.step("locked")
            look = self.see()
            self.read_stamp(look, session)
            self.heal(look)
            self.adopt(look)
            self.finish(look, session)
            self.sweep(look)
            self.retire(look)
            if self.may_begin(look):
                self.begin(look, session)
                self.retire(look)

    # --- looking ---------------------------------------------------------------------------------------

    def see(self) -> Look:
        before, self.look = self.look, Look(self.credential, self.vault.look(), self.rotator)
        if before is not None:
            self.look.carry_refusals(before)
        self.settles_at = self.look.settles_at(self.settle)
        self.ending.found(self.look)
        return self.look

    def has_work(self, look: Look) -> bool:
        """Whether there is an effect to make; without one nothing is locked."""
        decision = self.decide(look)
        if look.stored.current is None:
            if not look.stored.records and not decision.begin:
                self.ending.unchanged(f"nothing is stored yet; {decision.reason}")
            return bool(look.stored.records) or decision.begin
        if look.newer or look.own is None:
            return True
        if (decision.begin or look.older or look.stored.duplicates) and not self.is_settling:
            return True
        if not look.works(look.stored.current.secret):
            return True
        if decision.begin or look.older:
            self.ending.waiting(self.settles_at, UNSETTLED)
        else:
            self.ending.unchanged(decision.reason)
        return False

    def decide(self, look: Look) -> Decision:
        if self.request is None:
            return Decision(begin=False, reason="works, nothing is open")
        return due(self.credential.policy, look.own, self.request, self.clock())

    @property
    def is_settling(self) -> bool:
        return self.settles_at is not None and self.settles_at > self.clock()

    def read_stamp(self, look: Look, session: Session) -> None:
        """Refuse a foreign stamp; ask first about the version that our own one names."""
        self.stamp = session.stamp()
        if self.stamp is None:
            return
        if self.stamp.journal != self.vault.journal:
            raise foreign_stamp(self.credential, self.stamp)
        mark = (self.stamp.epoch, self.stamp.attempt)
        named = next((r for r in look.stored.records if (r.epoch, r.attempt) == mark), None)
        if named is not None:
            look.ask(named.secret)

    # --- the steps -------------------------------------------------------------------------------------

    def heal(self, look: Look) -> None:
        """CURRENT refused: the newest record that logs in takes its place."""
        current = look.stored.current
        if current is None or look.works(current.secret):
            return
        self.ending.step("refused", "CURRENT no longer logs in")
        for record in look.stored.records:
            if look.works(record.secret):
                self.promote(look, record)
                self.ending.recovered(
                    f"CURRENT was refused; version {record.epoch} logs in and took its place"
                )
                return
        if self.request is None or not self.request.force or self.rotator.changes_itself:
            raise nothing_works(self.credential)
        self.nothing_works = True
        self.ending.step("forced", "no stored value works; an admin sets a new one")

    def adopt(self, look: Look) -> None:
        """CURRENT works and has no record: give it one, and leave CURRENT itself alone."""
        current = look.stored.current
        if current is None or look.own is not None or not look.works(current.secret):
            return
        newest = look.newest_epoch
        record = self.vault.record(
            epoch=UNMANAGED_EPOCH if newest is None else newest + 1,
            attempt=self.id,
            written=current.revised,
            secret=current.secret,
        )
        look.stored = replace(look.stored, records=_with(look.stored.records, record))
        self.ending.adopted(record)

    def finish(self, look: Look, session: Session) -> None:
        """A newer version is open: probe it, else apply it again, and promote it. This never waits."""
        if not look.newer:
            return
        newest = look.newer[0]
        record = next((record for record in look.newer if look.works(record.secret)), None)
        if record is None:
            self.vault.reserve(look.stored.current)
            self.apply(look, session, newest)
        self.promote(look, record or newest)
        self.ending.recovered(f"version {(record or newest).epoch} had been begun and is finished")

    def sweep(self, look: Look) -> None:
        """Delete what a create of CURRENT left twice, once its author can write no more."""
        extra = look.stored.duplicates
        if extra and not self.is_settling:
            self.vault.delete(tuple(one.id for one in extra))
            look.stored = replace(look.stored, duplicates=())
            self.ending.step("swept", f"{len(extra)} more secrets with CURRENT's key and value")

    def retire(self, look: Look) -> None:
        """Prove the replaced versions dead, then delete their records."""
        current = look.stored.current
        if current is None or self.nothing_works or not look.older:
            return
        if self.is_settling:
            self.ending.retire_waits(self.settles_at)
            return
        if not look.works(current.secret):
            raise nothing_works(self.credential)
        gone = tuple(record for record in look.older if self.is_dead(look, record))
        if gone:
            self.forget_records(look, gone)

    def forget_records(self, look: Look, gone: tuple[Record, ...]) -> None:
        """Delete the records of dead versions; where that fails, the next pass finds and deletes them."""
        try:
            self.vault.delete(tuple(record.id for record in gone))
        except (VaultTrouble, VaultUnknown) as error:
            self.ending.retire_failed(error)
            return
        look.stored = replace(look.stored, records=tuple(r for r in look.stored.records if r not in gone))
        self.ending.retired(gone)

    def begin(self, look: Look, session: Session) -> None:
        """Mint, write down, apply, promote."""
        self.vault.reserve(look.stored.current)
        epochs = [look.newest_epoch or 0, self.stamp.epoch if self.stamp else 0]
        record = self.vault.record(
            epoch=max(epochs) + 1, attempt=self.id, written=self.clock(), secret=self.rotator.mint()
        )
        self.ending.recorded(record)
        look.stored = replace(look.stored, records=_with(look.stored.records, record))
        self.apply(look, session, record)
        self.promote(look, record)
        self.ending.rotated(record)

    # --- their parts -----------------------------------------------------------------------------------

    def may_begin(self, look: Look) -> bool:
        decision = self.decide(look)
        if not decision.begin or self.ending.has_promoted_newer:
            self.ending.not_begun(decision)
            return False
        if self.is_settling:
            self.ending.waiting(self.settles_at, UNSETTLED)
            return False
        if look.older and not self.nothing_works:
            self.ending.waiting(None, UNRETIRED)
            return False
        return True

    def is_dead(self, look: Look, record: Record) -> bool:
        """Whether a replaced version can go: its value is refused, or its record only repeats CURRENT's."""
        if look.stored.current is not None and record.secret == look.stored.current.secret:
            return True
        if self.credential.prove_dead == "off":
            self.ending.step("not asked", f"version {record.epoch}: the entry says prove_dead: off")
            return True
        probe = look.ask(record.secret)
        self.ending.old_answered(record, probe)
        return probe.answer is Answer.REFUSED

    def apply(self, look: Look, session: Session, record: Record) -> None:
        leave = Stamp(record.epoch, record.attempt, self.vault.journal)
        try:
            session.apply(record, found=self.stamp, leave=leave)
        except ApplyUnknown:
            look.forget()
            raise
        look.forget()
        self.stamp = leave
        self.ending.step("applied", f"version {record.epoch}")

    def promote(self, look: Look, record: Record) -> None:
        """Verify, write once, read back, and log in with what came back."""
        if not look.works(record.secret):
            raise refused_after_apply(self.credential, record)
        self.ending.step("verified", f"version {record.epoch} logs in")
        newer = record in look.newer
        current_id = self.vault.promote(look.stored.current, record, attempt=self.id, now=self.clock())
        self.ending.promoted(record, newer=newer)
        back = self.vault.read_back(current_id)
        if back.secret != record.secret:
            raise another_value(self.credential)
        look.stored = replace(look.stored, current=back)
        self.nothing_works = False
        self.prove(back)

    def prove(self, current: Current) -> None:
        """Ask the primary, every endpoint and every consumer about the value that Bitwarden answered.

        Of in_place the old value is dead by now, so that these answers no longer gate: what does not
        work is unproved, asked again, and keeps the run from being green.
        """
        self.ending.current_answered(self.rotator.probe(current.secret))
        for probe in self.rotator.endpoints(current.secret):
            self.ending.current_answered(probe)
        for probe in self.consumers.check():
            self.ending.consumer_answered(probe)


def _with(records: tuple[Record, ...], record: Record) -> tuple[Record, ...]:
    return tuple(sorted((*records, record), key=lambda r: r.order, reverse=True))
