"""Takes the account of one attempt: what it did, what it was answered, and how each of that may end it.

Rules this file keeps:
- How the attempt ended is not decided here: `ending` concludes that from all of it, frozen (`seen.Seen`).
- A step goes into the log when it happens, so that an attempt that is killed has left its steps there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from credential_rotation.attempt.seen import RETIRE_WAITS, Seen
from credential_rotation.by_hand import awaits, how_to_confirm, named
from credential_rotation.errors import RotationError
from credential_rotation.model import Answer, Consumer, Credential, Probe, Record
from credential_rotation.outcome import Fact, Shows, Step
from credential_rotation.policy import Decision

log = logging.getLogger(__name__)

_LIVELIEST_LAST = (Answer.REFUSED, Answer.UNKNOWN, Answer.WORKS)


class Account:
    """Takes down what happens, in the order in which it does; `seen` is all of it so far."""

    def __init__(self, credential: Credential, attempt: str, clock: Callable[[], datetime]) -> None:
        self.seen = Seen(credential, attempt)
        self._clock = clock

    def step(self, name: str, detail: str = "", fact: Fact | None = None) -> None:
        """Something was done, or found that matters later; `fact` is what others than people take from it."""
        self._add(Step(name, self._clock(), detail, fact))

    def routine(self, name: str, detail: str = "", fact: Fact | None = None) -> None:
        """As `step`, of what each quiet run does or finds."""
        self._add(Step(name, self._clock(), detail, fact, is_routine=True))

    def _add(self, step: Step) -> None:
        self.seen = replace(self.seen, steps=(*self.seen.steps, step))
        detail = f", {step.detail}" if step.detail else ""
        log.info("%s: %s%s", self.seen.credential.name, step.name, detail)

    def _could_be(self, outcome: str, reason: str) -> None:
        self.seen = replace(self.seen, reasons={**self.seen.reasons, outcome: reason})

    def _retires_later(self, reason: str) -> None:
        self._could_be(RETIRE_WAITS, self.seen.reasons.get(RETIRE_WAITS, reason))

    def _is_unproved(self, what: str) -> None:
        self.seen = replace(self.seen, unproved=(*self.seen.unproved, what))

    def _is_unconfirmed(self, what: str) -> None:
        self.seen = replace(self.seen, unconfirmed=(*self.seen.unconfirmed, what))

    def _is_broken(self, what: str) -> None:
        self.seen = replace(self.seen, broken=(*self.seen.broken, what))

    def _ask(self, *people: str) -> None:
        asks = dict.fromkeys((*self.seen.asks, *filter(None, people)))
        self.seen = replace(self.seen, asks=tuple(asks))

    def _waits_until(self, until: datetime | None) -> None:
        self.seen = replace(self.seen, until=until)

    # --- what happened ---------------------------------------------------------------------------------

    def not_begun(self, decision: Decision) -> None:
        """Nothing new was begun, as the policy decided; who asked for it is not told "unchanged"."""
        is_quiet = decision.outcome == "unchanged" or (
            decision.needs_approval and decision.outcome == "waiting"
        )
        self.seen = replace(self.seen, needs_approval=decision.needs_approval)
        if self.seen.reasons and is_quiet:
            return
        self._could_be(decision.outcome, decision.reason)
        self.seen = replace(self.seen, next_step=decision.next_step)
        if decision.outcome == "waiting":
            self._waits_until(decision.at)

    def waiting(self, until: datetime | None, reason: str) -> None:
        """A new version, or the only thing that was left to do, has to wait."""
        self._waits_until(until)
        self._could_be("waiting", reason)

    def retire_waits(self, until: datetime | None) -> None:
        """A replaced version's record has to stay for a while; the next tick deletes it."""
        self._waits_until(until)
        self.routine("retire waits", "an earlier attempt was not seen to end")
        self._retires_later("a replaced version is retired later")

    def still_read(self, readers: str, *, is_overdue: bool) -> None:
        """Replaced versions live on for who reads them; where that takes too long, a person is told."""
        self.routine("still read", readers)
        if is_overdue:
            self._is_unproved(f"{readers}; it lives on until that ends")
        self._retires_later(readers)

    def readers_broken(self, readers: str) -> None:
        """Compromise mode waits for nobody."""
        self.step("readers broken", readers)
        self._is_broken(readers)

    def awaits_people(self, who: Sequence[Consumer], own: Record, until: datetime) -> None:
        """Replaced versions live on for who takes values by hand; where that takes too long, it is told."""
        waits = awaits(who)
        self.routine("waits for a person", f"version {own.epoch}: {waits}")
        self.seen = replace(self.seen, waits_for=tuple(one.name for one in who))
        self._ask(*(how_to_confirm(self.seen.credential.name, one, own.epoch) for one in who))
        if self._clock() > until:
            late = f"{until:%Y-%m-%d %H:%M} UTC was the day for it; the value before lives on until then"
            self._is_unconfirmed(f"{waits}; {late}")
        else:
            self._waits_until(until)
        before = self.seen.reasons.get(RETIRE_WAITS)
        self._could_be(RETIRE_WAITS, f"{before}; {waits}" if before else waits)

    def people_broken(self, who: Sequence[Consumer]) -> None:
        """As `readers_broken`, of those who take values by hand."""
        broken = f"{named(who)} is refused until it is given the new value by hand"
        self.seen = replace(self.seen, waits_for=tuple(one.name for one in who))
        self.step("consumers broken", broken)
        self._is_broken(broken)

    def in_grace(self, records: tuple[Record, ...], until: datetime | None) -> None:
        """Replaced versions live on for a while, as the policy wants it."""
        versions = ", ".join(str(record.epoch) for record in records)
        when = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        self.routine("in grace", f"version {versions} lives on{when}")

    def recorded(self, record: Record) -> None:
        """A version was written down before anything else knows of it."""
        principal = record.secret.principal if len(self.seen.credential.principals) > 1 else ""
        told_whom = f", as {principal}" if principal else ""
        self.step(
            "recorded",
            f"version {record.epoch}{told_whom}",
            Fact(Shows.RECORDED, record.epoch, principal=principal),
        )

    def adopted(self, record: Record) -> None:
        """A CURRENT that works and that we did not write was given a record."""
        self.recorded(record)
        self._could_be("adopted", "CURRENT works and had no record; it was given one and left as it is")

    def put_back(self, record: Record, own: Record) -> None:
        """A person went back to an older version's value by hand: it is a new version from now on."""
        self.recorded(record)
        self._could_be(
            "recovered",
            f"a person has put the value of version {own.epoch} back; it works, as version {record.epoch}",
        )

    def taken_as_first(self, record: Record) -> None:
        """A value that works, from outside of the vault, was given a record before it becomes CURRENT."""
        self.recorded(record)
        self._could_be(
            "adopted", "the value works, and is CURRENT as it is; nothing was changed on the target"
        )

    def recovered(self, reason: str) -> None:
        """What an earlier attempt or a person left behind was put right."""
        self._could_be("recovered", reason)

    def promoted(self, record: Record, *, newer: bool) -> None:
        """CURRENT was written."""
        self.seen = replace(self.seen, has_promoted=True, has_promoted_newer=newer)
        self.step("promoted", f"version {record.epoch} is CURRENT", Fact(Shows.PROMOTED, record.epoch))

    def rotated(self, record: Record) -> None:
        """A new version was begun and finished."""
        self._could_be("rotated", f"version {record.epoch} is CURRENT, and proved")

    def applied(self, record: Record) -> None:
        """A value was set on the target."""
        self.seen = replace(self.seen, has_changed_target=True)
        self.step("applied", f"version {record.epoch}")

    def ended(self, record: Record, how: str = "") -> None:
        """A replaced value was ended on the target."""
        self.seen = replace(self.seen, has_changed_target=True)
        self.step("ended", ", ".join(filter(None, (f"version {record.epoch}", how))))

    def revoked(self, since: datetime) -> None:
        """Compromise mode got through: nothing that is older than the request is to be alive."""
        self.seen = replace(self.seen, revokes_since=since)

    def retired(self, records: tuple[Record, ...]) -> None:
        """Replaced versions are dead and their records deleted."""
        for record in records:
            self.step("retired", f"version {record.epoch}", Fact(Shows.RETIRED, record.epoch))
        versions = ", ".join(str(record.epoch) for record in records)
        self._could_be("retired", f"version {versions} is dead and its record deleted")

    def retire_failed(self, error: RotationError) -> None:
        """A dead version's record is still there; the next pass deletes it."""
        self.step("retire failed", error.what)
        self._is_unproved(f"a dead version's record could not be deleted: {error.what}")

    def sessions_left(self, principal: str, error: RotationError) -> None:
        """Open sessions under a value from before could not be ended."""
        self.step("sessions left", principal)
        self._is_unproved(f"{error.what}. {error.next_step}")

    def left_to_a_person(self, error: RotationError) -> None:
        """What only a person can end; asking again would not help, so that it keeps nothing from its end."""
        what = error.what.removeprefix(f"{self.seen.credential.name}: ")
        self.step("left to a person", what)
        self._is_broken(what)
        self._ask(error.next_step)

    # --- what was answered -----------------------------------------------------------------------------

    def old_answered(self, record: Record, probe: Probe) -> None:
        """The proof that a replaced value is dead, or that it is not; what lives anywhere is not dead."""
        liveliest = max(self.seen.old_value or Answer.REFUSED, probe.answer, key=_LIVELIEST_LAST.index)
        self.seen = replace(self.seen, old_value=liveliest)
        self.routine(
            f"old value {probe.answer.value}",
            f"version {record.epoch}, asked of {probe.where}",
            Fact(Shows.OLD_VALUE, record.epoch, probe.answer, probe.where),
        )
        if probe.answer is Answer.WORKS:
            self._is_unproved(f"{probe.where} still accepts version {record.epoch}, which was replaced")
        elif probe.answer is Answer.UNKNOWN:
            self._is_unproved(
                f"whether version {record.epoch} is dead at {probe.where} is unknown: {probe.why}"
            )

    def old_seen(self, record: Record, probe: Probe) -> None:
        """What the catalog says of a replaced value that was not tried."""
        self.seen = replace(self.seen, old_value=probe.answer)
        self.routine(
            f"old value {probe.answer.value} by catalog",
            f"version {record.epoch}: {probe.why}",
            Fact(Shows.OLD_VALUE_SEEN, record.epoch, probe.answer, probe.where, probe.why),
        )
        if probe.answer is not Answer.REFUSED:
            self._is_unproved(f"whether version {record.epoch} is dead is unknown: {probe.why}")

    def old_not_asked(self, record: Record, why: str) -> None:
        """A replaced value is taken for dead unasked, as the entry says."""
        self.routine(
            "not asked",
            f"version {record.epoch}: {why}",
            Fact(Shows.OLD_VALUE_NOT_ASKED, record.epoch, why=why),
        )

    def new_works(self, record: Record, where: str = "") -> None:
        """A version that is to become CURRENT was just seen to log in, at the primary or at this endpoint."""
        self.step(
            "verified",
            f"version {record.epoch} logs in" + (f" at {where}" if where else ""),
            Fact(Shows.NEW_VALUE, record.epoch, Answer.WORKS, where or "the primary"),
        )

    def current_answered(self, own: Record | None, probe: Probe) -> None:
        """What the primary or an endpoint said to the value that Bitwarden answered."""
        self.routine(
            f"CURRENT {probe.answer.value}",
            f"asked of {probe.where}",
            Fact(Shows.CURRENT, own.epoch if own else None, probe.answer, probe.where),
        )
        if probe.answer is not Answer.WORKS:
            told_next = f". {probe.next_step}" if probe.next_step else ""
            self._is_unproved(f"{probe.where}: CURRENT {probe.answer.value}, {probe.why}{told_next}")

    def consumer_answered(self, own: Record | None, probe: Probe) -> None:
        """What a consumer said."""
        consumers = (*self.seen.consumers, (probe.where, probe.answer, probe.why))
        self.seen = replace(self.seen, consumers=consumers)
        self.routine(
            f"consumer {probe.answer.value}",
            probe.where,
            Fact(Shows.CONSUMER, own.epoch if own else None, probe.answer, probe.where),
        )
        if probe.answer is not Answer.WORKS:
            what = f"consumer {probe.where}: {probe.why}"
            if probe.awaits_person:
                self._is_unconfirmed(what)
            else:
                self._is_unproved(what)
            self._ask(probe.next_step)
