"""Keeps what an attempt did while it does it, and says at the end how it ended.

Rules this file keeps:
- What was done and proved beats what was only planned; what could not be proved beats both, and is not green.
- A failure says whether the old value and the new one still log in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from credential_rotation.attempt.complaints import only_the_new_one_works
from credential_rotation.attempt.look import Look
from credential_rotation.by_hand import awaits, how_to_confirm, named
from credential_rotation.errors import ApplyUnknown, RotationError, VaultUnknown
from credential_rotation.model import UNMANAGED_EPOCH, Answer, Consumer, Credential, Probe, Record
from credential_rotation.outcome import DONE, Fact, Outcome, Shows, Step, told
from credential_rotation.policy import Decision
from credential_rotation.times.schedule import promised_until

log = logging.getLogger(__name__)

SEE_TO = "The new value logs in on the primary and is stored. See to what is named; it is asked again."

_STRONGEST_FIRST = (
    "revoked",
    "rotated",
    "waiting",
    "refused",
    "recovered",
    "retired",
    "adopted",
    "retire waits",
    "unchanged",
)
_LIVELIEST_LAST = (Answer.REFUSED, Answer.UNKNOWN, Answer.WORKS)


class Ending:
    """The steps of one attempt, and the outcome that follows from them."""

    def __init__(self, credential: Credential, attempt: str, clock: Callable[[], datetime]) -> None:
        self._credential = credential
        self._attempt = attempt
        self._clock = clock
        self._steps: list[Step] = []
        self._said: dict[str, str] = {}
        self._unproved: list[str] = []
        self._people: list[str] = []
        self._consumers: list[tuple[str, Answer, str]] = []
        self.until: datetime | None = None
        self._next_step = ""
        self._asks: dict[str, None] = {}
        self._waits_for: tuple[str, ...] = ()
        self._needs_approval = False
        self._before: Record | None = None
        self._broken: list[str] = []
        self._old: Answer | None = None
        self.has_promoted_newer = False

    def step(self, name: str, detail: str = "", fact: Fact | None = None) -> None:
        """One more thing was done or found; `fact` is what others than people take from it."""
        self._steps.append(Step(name, self._clock(), detail, fact))
        log.info("%s: %s%s", self._credential.name, name, f", {detail}" if detail else "")

    def _say(self, outcome: str, reason: str) -> None:
        self._said[outcome] = reason

    # --- what happened ---------------------------------------------------------------------------------

    def not_begun(self, decision: Decision) -> None:
        """Nothing new was begun, as the policy decided; who asked for it is not told "unchanged"."""
        is_quiet = decision.outcome == "unchanged" or (
            decision.needs_approval and decision.outcome == "waiting"
        )
        self._needs_approval = decision.needs_approval
        if self._said and is_quiet:
            return
        self._say(decision.outcome, decision.reason)
        self._next_step = decision.next_step
        if decision.outcome == "waiting":
            self.until = decision.at

    def waiting(self, until: datetime | None, reason: str) -> None:
        """A new version, or the only thing that was left to do, has to wait."""
        self.until = until
        self._say("waiting", reason)

    def retire_waits(self, until: datetime | None) -> None:
        """A replaced version's record has to stay for a while; the next tick deletes it."""
        self.until = until
        self.step("retire waits", "an earlier attempt was not seen to end")
        self._said.setdefault("retire waits", "a replaced version is retired later")

    def still_read(self, readers: str, *, is_overdue: bool) -> None:
        """Replaced versions live on for who reads them; where that takes too long, a person is told."""
        self.step("still read", readers)
        if is_overdue:
            self._unproved.append(f"{readers}; it lives on until that ends")
        self._said.setdefault("retire waits", readers)

    def readers_broken(self, readers: str) -> None:
        """Compromise mode waits for nobody."""
        self.step("readers broken", readers)
        self._broken.append(readers.replace(" is still ", " was still "))

    def awaits_people(self, who: Sequence[Consumer], own: Record, until: datetime) -> None:
        """Replaced versions live on for who takes values by hand; where that takes too long, it is told."""
        waits = awaits(who)
        self.step("waits for a person", f"version {own.epoch}: {waits}")
        self._waits_for = tuple(one.name for one in who)
        self._asks |= dict.fromkeys(how_to_confirm(self._credential.name, one, own.epoch) for one in who)
        if self._clock() > until:
            late = f"{until:%Y-%m-%d %H:%M} UTC was the day for it; the value before lives on until then"
            self._unproved.append(f"{waits}; {late}")
        else:
            self.until = until
        before = self._said.get("retire waits")
        self._said["retire waits"] = f"{before}; {waits}" if before else waits

    def people_broken(self, who: Sequence[Consumer]) -> None:
        """As `readers_broken`, of those who take values by hand."""
        broken = f"{named(who)} is refused until it is given the new value by hand"
        self._waits_for = tuple(one.name for one in who)
        self.step("consumers broken", broken)
        self._broken.append(broken)

    def in_grace(self, records: tuple[Record, ...], until: datetime | None) -> None:
        """Replaced versions live on for a while, as the policy wants it."""
        versions = ", ".join(str(record.epoch) for record in records)
        when = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        self.step("in grace", f"version {versions} lives on{when}")

    def recorded(self, record: Record) -> None:
        """A version was written down before anything else knows of it."""
        principal = record.secret.principal if len(self._credential.principals) > 1 else ""
        told_whom = f", as {principal}" if principal else ""
        self.step(
            "recorded",
            f"version {record.epoch}{told_whom}",
            Fact(Shows.RECORDED, record.epoch, principal=principal),
        )

    def adopted(self, record: Record) -> None:
        """A CURRENT that works and that we did not write was given a record."""
        self.recorded(record)
        self._say("adopted", "CURRENT works and had no record; it was given one and left as it is")

    def put_back(self, record: Record, own: Record) -> None:
        """A person went back to an older version's value by hand: it is a new version from now on."""
        self.recorded(record)
        self._say(
            "recovered",
            f"a person has put the value of version {own.epoch} back; it works, as version {record.epoch}",
        )

    def taken_as_first(self, record: Record) -> None:
        """A value that works, from outside of the vault, was given a record before it becomes CURRENT."""
        self.recorded(record)
        self._say("adopted", "the value works, and is CURRENT as it is; nothing was changed on the target")

    def recovered(self, reason: str) -> None:
        """What an earlier attempt or a person left behind was put right."""
        self._say("recovered", reason)

    def promoted(self, record: Record, *, newer: bool) -> None:
        """CURRENT was written."""
        self.has_promoted_newer = newer
        self.step("promoted", f"version {record.epoch} is CURRENT", Fact(Shows.PROMOTED, record.epoch))

    def rotated(self, record: Record) -> None:
        """A new version was begun and finished."""
        self._say("rotated", f"version {record.epoch} is CURRENT, and proved")

    @property
    def has_changed_target(self) -> bool:
        """Whether a value was set or ended in this attempt."""
        return any(step.name in {"applied", "ended"} for step in self._steps)

    def revoked(self, look: Look, since: datetime) -> None:
        """Compromise mode is through: nothing from before the request is alive.

        Whoever comes back after a kill in the middle finds the new version there, and only ends the old ones.
        """
        own = look.own
        if own is None or look.older or not ("rotated" in self._said or own.written >= since):
            return
        made = self._said.get("rotated") or f"version {own.epoch} is CURRENT"
        self._say("revoked", "; ".join([made, "every value from before is dead", *self._broken]))

    def retired(self, records: tuple[Record, ...]) -> None:
        """Replaced versions are dead and their records deleted."""
        for record in records:
            self.step("retired", f"version {record.epoch}", Fact(Shows.RETIRED, record.epoch))
        versions = ", ".join(str(record.epoch) for record in records)
        self._say("retired", f"version {versions} is dead and its record deleted")

    def retire_failed(self, error: RotationError) -> None:
        """A dead version's record is still there; the next pass deletes it."""
        self.step("retire failed", error.what)
        self._unproved.append(f"a dead version's record could not be deleted: {error.what}")

    def sessions_left(self, principal: str, error: RotationError) -> None:
        """Open sessions under a value from before could not be ended."""
        self.step("sessions left", principal)
        self._unproved.append(f"{error.what}. {error.next_step}")

    def left_to_a_person(self, error: RotationError) -> None:
        """What only a person can end; asking again would not help, so that it keeps nothing from its end."""
        what = error.what.removeprefix(f"{self._credential.name}: ")
        self.step("left to a person", what)
        self._broken.append(what)
        self._asks |= {error.next_step: None}

    # --- what was answered -----------------------------------------------------------------------------

    def old_answered(self, record: Record, probe: Probe) -> None:
        """The proof that a replaced value is dead, or that it is not; what lives anywhere is not dead."""
        self._old = max(self._old or Answer.REFUSED, probe.answer, key=_LIVELIEST_LAST.index)
        self.step(
            f"old value {probe.answer.value}",
            f"version {record.epoch}, asked of {probe.where}",
            Fact(Shows.OLD_VALUE, record.epoch, probe.answer, probe.where),
        )
        if probe.answer is Answer.WORKS:
            self._unproved.append(f"{probe.where} still accepts version {record.epoch}, which was replaced")
        elif probe.answer is Answer.UNKNOWN:
            self._unproved.append(
                f"whether version {record.epoch} is dead at {probe.where} is unknown: {probe.why}"
            )

    def old_seen(self, record: Record, probe: Probe) -> None:
        """What the catalog says of a replaced value that was not tried."""
        self._old = probe.answer
        self.step(
            f"old value {probe.answer.value} by catalog",
            f"version {record.epoch}: {probe.why}",
            Fact(Shows.OLD_VALUE_SEEN, record.epoch, probe.answer, probe.where, probe.why),
        )
        if probe.answer is not Answer.REFUSED:
            self._unproved.append(f"whether version {record.epoch} is dead is unknown: {probe.why}")

    def old_not_asked(self, record: Record, why: str) -> None:
        """A replaced value is taken for dead unasked, as the entry says."""
        self.step(
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
        self.step(
            f"CURRENT {probe.answer.value}",
            f"asked of {probe.where}",
            Fact(Shows.CURRENT, own.epoch if own else None, probe.answer, probe.where),
        )
        if probe.answer is not Answer.WORKS:
            told_next = f". {probe.next_step}" if probe.next_step else ""
            self._unproved.append(f"{probe.where}: CURRENT {probe.answer.value}, {probe.why}{told_next}")

    def consumer_answered(self, own: Record | None, probe: Probe) -> None:
        """What a consumer said."""
        self._consumers.append((probe.where, probe.answer, probe.why))
        self.step(
            f"consumer {probe.answer.value}",
            probe.where,
            Fact(Shows.CONSUMER, own.epoch if own else None, probe.answer, probe.where),
        )
        if probe.answer is not Answer.WORKS:
            kept = self._people if probe.awaits_person else self._unproved
            kept.append(f"consumer {probe.where}: {probe.why}")
            self._asks |= {probe.next_step: None} if probe.next_step else {}

    # --- how it ended ----------------------------------------------------------------------------------

    def found(self, look: Look) -> None:
        """What CURRENT was when this attempt came: the old value, should it be replaced."""
        self._before = look.own

    def outcome(self, look: Look | None) -> Outcome:
        """How an attempt ended that came to its end."""
        word, reason = self._word()
        asks = " ".join(self._asks)
        next_step = (self._next_step or asks) if word in {"waiting", "refused"} else ""
        if word == "revoked":  # who takes values by hand is broken on purpose, and named in the reason
            next_step = asks
        else:
            self._unproved += self._people
        if self._unproved and (word in DONE or word == "waiting"):
            word, reason = "unproved", "; ".join(self._unproved)
            next_step = " ".join(filter(None, (SEE_TO, asks)))
        made = self._made(word, reason, next_step, look, new=Answer.WORKS if self._promoted else None)
        return replace(made, needs_approval=self._needs_approval)

    def failed(self, error: RotationError, look: Look | None) -> Outcome:
        """How an attempt ended that something kept from its end, and what still logs in."""
        old, new = _what_works(look) if look is not None and error.outcome == "failed" else (None, None)
        self._old = old
        lost = isinstance(error, (ApplyUnknown, VaultUnknown))
        outage = old is Answer.REFUSED and new is Answer.WORKS
        what, next_step = error.what, error.next_step
        if outage and look is not None:
            what, next_step = only_the_new_one_works(self._credential, look.newest_epoch, error)
        made = self._made(error.outcome, what, next_step, look, new=new)
        return replace(made, is_urgent=lost or outage)

    @property
    def _promoted(self) -> bool:
        return any(step.name == "promoted" for step in self._steps)

    def _word(self) -> tuple[str, str]:
        for word in _STRONGEST_FIRST:
            if word in self._said:
                return ("waiting" if word == "retire waits" else word), self._said[word]
        return "unchanged", "works, nothing is open"

    def _made(
        self, word: str, reason: str, next_step: str, look: Look | None, *, new: Answer | None
    ) -> Outcome:
        reason = reason.removeprefix(f"{self._credential.name}: ")
        self.step(word, reason)
        own = look.own if look is not None else None
        return replace(
            told(self._credential, word, reason, next_step=next_step),
            version=own.epoch if own else None,
            act_by=self._act_by(word, own),
            until=self.until,
            waits_for=self._waits_for,
            attempt=self._attempt,
            old_value=self._old,
            new_value=new,
            consumers=tuple(self._consumers),
            steps=tuple(self._steps),
        )

    def _act_by(self, word: str, own: Record | None) -> datetime | None:
        """Of a version that we did not make nobody knows the age."""
        if word in DONE or own is None or own.epoch == UNMANAGED_EPOCH:
            return None
        return promised_until(self._credential.policy, own.written)


def _what_works(look: Look) -> tuple[Answer | None, Answer | None]:
    """Whether CURRENT and the newest open version log in; asks only what has not been answered."""
    current = look.stored.current
    if current is None:
        return None, None
    old = (look.known(current.secret) or look.ask(current.secret)).answer
    if not look.newer:
        return old, None
    newest = look.newer[0].secret
    return old, (look.known(newest) or look.ask(newest)).answer
