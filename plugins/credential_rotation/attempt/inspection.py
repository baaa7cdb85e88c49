"""Looks at a credential and changes nothing: whether CURRENT works everywhere, and what an attempt would do.

Rules this file keeps:
- At most one login per place, and none with a value that was replaced.
- Not knowing is neither `ok` nor `broken`.
- Nothing is `broken` only because it is being rotated at this moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_fixed

from credential_rotation.attempt.breaking import Told, breaks, breaks_through, would_revoke, would_see_through
from credential_rotation.attempt.complaints import could_not_ask
from credential_rotation.attempt.look import Look
from credential_rotation.attempt.turn import Clock, Parties
from credential_rotation.errors import RotationError
from credential_rotation.model import UNMANAGED_EPOCH, Answer, Credential, Probe, Record, Secret, Stored
from credential_rotation.outcome import Fact, Outcome, Shows, Step, told
from credential_rotation.policy import Request, due
from credential_rotation.protocols import Prober

HEAL = "Run retire for it: the newest record that logs in takes CURRENT's place."
OLDER_FIRST = "CURRENT is refused; the newest record that logs in would take its place"
LOOKS, BETWEEN_LOOKS = 4, 1.0
"""How often, and every how many seconds, it is looked whether a version that was begun is CURRENT by now.

From apply to promote are a login and a write to Bitwarden; an attempt that hangs longer is an outage.
"""
FIND_OUT = "See to the places that are named, and verify again."


def verify(credential: Credential, parties: Parties, *, clock: Clock) -> Outcome:
    """Whether CURRENT logs in at the primary and every endpoint, and every consumer is content.

    What a rotation replaced while we asked about it says nothing: then CURRENT is asked about once more.
    """
    try:
        before = parties.vault.look()
        seen = _verified_as_stored(credential, before, parties, clock)
        now = before if seen.is_done else _promoted(credential, parties)
        return _verified_as_stored(credential, now, parties, clock) if before.is_overtaken_by(now) else seen
    except RotationError as error:
        return told(credential, error.outcome, error.what, next_step=error.next_step)


def _promoted(credential: Credential, parties: Parties) -> Stored:
    """What is stored once a version that was begun has become CURRENT; as it is where that takes too long.

    Between the two, the one password of a role that is changed in place is not CURRENT's.
    """
    waiting = Retrying(
        retry=retry_if_result(lambda stored: bool(Look(credential, stored, parties.rotator).newer)),
        stop=stop_after_attempt(LOOKS),
        wait=wait_fixed(BETWEEN_LOOKS),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    return waiting(parties.vault.look)


def foresee(
    credential: Credential, parties: Parties, *, begin: Request, clock: Clock, settle: timedelta
) -> Outcome:
    """What an attempt would begin with now: a dry run that also asks the target about CURRENT."""
    try:
        look = Look(credential, parties.vault.look(), parties.rotator)
        if look.revoking is not None and not begin.revoke:
            return _sees_through(look, parties, begin, clock, settle)
        reason = _would_do(look, parties.rotator, begin, clock(), settle)
    except RotationError as error:
        return told(credential, error.outcome, error.what, next_step=error.next_step)
    decision = due(credential.policy, look.own, begin, clock())
    if reason is not None:
        made = replace(told(credential, "planned", reason), version=_version(look))
        return _with(made, breaks(look, parties), clock) if begin.revoke else made
    made = told(credential, decision.outcome, decision.reason, next_step=decision.next_step)
    until = decision.at if decision.outcome == "waiting" else None
    return replace(made, version=_version(look), until=until)


def _sees_through(look: Look, parties: Parties, begin: Request, clock: Clock, settle: timedelta) -> Outcome:
    """Behind a revocation that was cut off. Raises: NoStoredValueWorks, TargetUnknown."""
    now, settles = clock(), look.settles_at(settle)
    waits = settles if settles is not None and settles > now else None
    kept = look.newer[0] if look.newer else look.own
    decision = None if waits else due(look.credential.policy, kept or _adopted(look), begin, now)
    reason = would_see_through(look, parties.rotator, begin, decision)
    made = replace(told(look.credential, "planned", reason), version=_version(look))
    if decision is not None and decision.begin:  # behind it, what was CURRENT has no grace either
        return _with(made, breaks(look, parties), clock)
    return _with(made, breaks_through(look, parties, kept, waits), clock)


def _adopted(look: Look) -> Record | None:
    """The record that a person's CURRENT would be given, as far as it decides what is due."""
    current, newest = look.stored.current, look.newest_epoch
    if current is None:
        return None
    epoch = UNMANAGED_EPOCH if newest is None else newest + 1
    return Record("", epoch, "", current.revised, current.revised, current.secret)


def _with(made: Outcome, broken: Iterable[Told], clock: Clock) -> Outcome:
    steps = tuple(Step(name, clock(), text) for name, text in broken)
    reason = "; ".join((made.reason, *(f"{step.name} {step.detail}" for step in steps)))
    return replace(made, reason=reason, steps=(*steps, Step("planned", clock(), made.reason)))


def _would_do(look: Look, rotator: Prober, begin: Request, now: datetime, settle: timedelta) -> str | None:
    if begin.revoke:
        return would_revoke(look, rotator, due(look.credential.policy, look.own, begin, now))
    current = look.stored.current
    if look.is_put_back and current is not None and look.works(current.secret):
        return "a person has put an older version's value back; it works, and would be kept as a new version"
    if look.newer:
        return _would_finish(look, rotator, begin)
    if current is not None and not look.works(current.secret):
        return _would_heal(look, rotator, begin)
    if current is not None and look.own is None:
        return f"CURRENT works and has no record; it would be given one{_then(look, begin, now)}"
    return _would_begin(look, rotator, begin, now, settle)


def _would_begin(look: Look, rotator: Prober, begin: Request, now: datetime, settle: timedelta) -> str | None:
    """Whether a new version is due. Raises: NoStoredValueWorks, TargetUnknown (of who changes itself)."""
    decision = due(look.credential.policy, look.own, begin, now)
    if not decision.begin:
        return None
    if rotator.changes_itself:
        look.login()
    return f"a new version would be made{_not_before(look, now, settle)}: {decision.reason}"


def _not_before(look: Look, now: datetime, settle: timedelta) -> str:
    """Until when it has to wait; a replaced value that somebody still reads may keep it longer."""
    waits = (
        (look.settles_at(settle), "an earlier attempt may still write"),
        (look.rests_until, "the value before it lives on until then"),
    )
    found = next(((until, why) for until, why in waits if until is not None and until > now), None)
    return f", not before {found[0]:%Y-%m-%d %H:%M} UTC ({found[1]})" if found else ""


def _then(look: Look, begin: Request, now: datetime) -> str:
    """What follows at once where the journal is empty; otherwise a run may have to wait first."""
    if look.stored.records or look.stored.intents:
        return ""
    decision = due(look.credential.policy, _adopted(look), begin, now)
    return f"; then a new version would be made: {decision.reason}" if decision.begin else ""


def _would_finish(look: Look, rotator: Prober, begin: Request) -> str:
    """What becomes of versions that were begun. Raises: NoStoredValueWorks, TargetUnknown."""
    current, newest = look.stored.current, look.newer[0]
    finished = "version {} was begun and would be finished"
    if not all(look.may_try(secret) for secret in _not_replaced(look)):
        return finished.format(newest.epoch)  # the stamp tells which one works, and only an attempt reads it
    is_refused = current is not None and not look.works(current.secret)
    if current is not None and not is_refused:
        return finished.format(newest.epoch)
    working = next((record for record in look.newer if look.works(record.secret)), None)
    if working is not None:
        return finished.format(working.epoch)
    if is_refused and look.older:
        return f"{OLDER_FIRST}; {finished.format(newest.epoch)}"
    if rotator.changes_itself or (is_refused and not begin.force):
        raise look.nothing_works()
    also = ", or a new one" if begin.force else ", unless the target's stamp says that it was set"
    return f"no stored value works; the admin would set version {newest.epoch}, which was begun{also}"


def _not_replaced(look: Look) -> list[Secret]:
    """CURRENT's value, and those that were begun."""
    current = look.stored.current
    return [*([current.secret] if current else ()), *(record.secret for record in look.newer)]


def _would_heal(look: Look, rotator: Prober, begin: Request) -> str:
    """What becomes of a CURRENT that is refused. Raises: NoStoredValueWorks (nothing else is stored)."""
    if any(record is not look.own for record in look.stored.records):
        return OLDER_FIRST
    if begin.force and not rotator.changes_itself:
        return "no stored value works; the admin would set a new one"
    raise look.nothing_works()


Asked = Sequence[tuple[Shows, Probe]]
"""What each place, then each consumer, answered about CURRENT."""


@dataclass(frozen=True, slots=True)
class _Inspection:
    credential: Credential
    clock: Clock

    def ended(self, look: Look, word: str, reason: str, next_step: str, asked: Asked) -> Outcome:
        steps = [self._step(shows, _version(look), probe) for shows, probe in asked]
        steps.append(Step(word, self.clock(), reason))
        made = told(self.credential, word, reason, next_step=next_step)
        return replace(made, version=_version(look), steps=tuple(steps))

    def _step(self, shows: Shows, version: int | None, probe: Probe) -> Step:
        fact = Fact(shows, version, probe.answer, probe.where)
        return Step(f"asked {probe.where}", self.clock(), probe.answer.value, fact, is_routine=True)


def _verified_as_stored(credential: Credential, stored: Stored, parties: Parties, clock: Clock) -> Outcome:
    look = Look(credential, stored, parties.rotator)
    return _verified(_Inspection(credential, clock), look, parties)


def _verified(inspection: _Inspection, look: Look, parties: Parties) -> Outcome:
    current = look.stored.current
    if current is None and not look.stored.records:
        return inspection.ended(look, "unchanged", "nothing is stored yet; it was never rotated", "", [])
    if current is None:
        return inspection.ended(look, "broken", "CURRENT is missing, and records of it are there", HEAL, [])
    primary = look.ask(current.secret)
    if primary.answer is Answer.UNKNOWN:
        raise could_not_ask(look.credential, primary)
    if primary.answer is Answer.REFUSED:
        reason = f"{primary.where} refuses CURRENT: {primary.why}"
        ended = inspection.ended(look, "broken", reason, HEAL, [(Shows.CURRENT, primary)])
        return replace(ended, old_value=Answer.REFUSED)
    places = [primary, *parties.rotator.endpoints(current.secret)]
    consumers = list(parties.consumers.check(current, look.own))
    asked = [(Shows.CURRENT, place) for place in places] + [(Shows.CONSUMER, one) for one in consumers]
    ended = _judged(inspection, look, asked)
    told_by = tuple((probe.where, probe.answer, probe.why) for probe in consumers)
    return replace(ended, new_value=Answer.WORKS, consumers=told_by)


def _judged(inspection: _Inspection, look: Look, asked: Asked) -> Outcome:
    wrong = [probe for _, probe in asked if probe.answer is not Answer.WORKS]
    if not wrong:
        return inspection.ended(look, "ok", "CURRENT works everywhere it was asked", "", asked)
    is_refused = any(probe.answer is Answer.REFUSED for probe in wrong)
    reason = "; ".join(f"{probe.where}: {probe.answer.value}, {probe.why}" for probe in wrong)
    next_step = " ".join([FIND_OUT, *(probe.next_step for probe in wrong if probe.next_step)])
    made = inspection.ended(look, "broken" if is_refused else "unproved", reason, next_step, asked)
    return replace(made, only_words_missing=all(probe.awaits_person for probe in wrong))


def _version(look: Look) -> int | None:
    return look.own.epoch if look.own else None
