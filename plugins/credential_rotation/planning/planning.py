"""What the next run would do, told from the names in the vault alone: one list for the whole inventory.

Rules this file keeps:
- No value is read and no target is asked; what was changed by hand only an attempt or `verify` sees.
- An open version is always gone on with, whatever the policy says.
- The newest record need not be CURRENT's: it may be begun only. What names do not tell is not claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credential_rotation.by_hand import awaits, how_to_close, how_to_confirm
from credential_rotation.journal.records import ENDING, INTENT, RecordName
from credential_rotation.model import Consumer, Credential, Strategy
from credential_rotation.outcome import Outcome, told
from credential_rotation.policy import Decision, Request, due
from credential_rotation.times.schedule import confirm_by, falls_due

TWO = 2
"""Records, while one version takes over from another."""
FINISH = "an earlier run was interrupted, or a replaced version is not retired yet"


@dataclass(frozen=True, slots=True)
class Known:
    """What the names tell about one credential."""

    names: tuple[RecordName, ...]
    """Newest first, with intents and endings."""
    has_current: bool
    awaited: tuple[Consumer, ...] = ()
    """Who takes the newest version by hand and was not said to have it."""

    @property
    def records(self) -> tuple[RecordName, ...]:
        """The versions, newest first."""
        return tuple(name for name in self.names if not name.kind)

    @property
    def newest(self) -> RecordName | None:
        """The newest version's record."""
        return next((name for name in self.names if not name.kind), None)

    @property
    def is_open(self) -> bool:
        """Something was begun and is not over."""
        return len(self.names) > 1 or (bool(self.names) and not self.has_current)

    @property
    def open_since(self) -> datetime | None:
        """When the newest thing was begun, a version or an intent; None where nothing is open."""
        return self.names[0].written if self.is_open else None


def may_be_current(credential: Credential, known: Known) -> tuple[RecordName, ...]:
    """The versions of which CURRENT holds one, newest first; more than one where names do not tell which.

    What is being ended was replaced. A key's record that has lost its intent was promoted; of two records
    of a password the newer may be begun only, or be CURRENT with the older in grace.
    """
    if not known.has_current:
        return ()
    records = known.records
    ended = {(one.epoch, one.attempt) for one in known.names if one.kind == ENDING}
    unsure = {(one.epoch, one.attempt) for one in known.names if one.kind == INTENT}
    left = records
    for place, one in enumerate(records):
        if place and (one.epoch, one.attempt) in ended:
            left = records[:place]
            break
    is_turn = len(records) == TWO  # a third is a rollback's, which has no intent
    if credential.strategy is Strategy.OVERLAPPING and is_turn:
        return left if (left[0].epoch, left[0].attempt) in unsure else left[:1]
    return left


def in_use(credential: Credential, known: Known) -> RecordName | None:
    """The version whose value CURRENT holds; None where there is none, or names do not tell which."""
    found = may_be_current(credential, known)
    return found[0] if len(found) == 1 else None


def is_begun_only(credential: Credential, known: Known) -> bool:
    """Whether names show that CURRENT does not hold the newest version; of a password they often cannot."""
    newest = known.newest
    if newest is None or credential.strategy is Strategy.BY_HAND:
        return False
    mark = (newest.epoch, newest.attempt)
    is_unsure = any((one.epoch, one.attempt) == mark for one in known.names if one.kind == INTENT)
    return not known.has_current or is_unsure


def begun(credential: Credential, known: Known) -> str:
    """In words, what may be begun only; empty where names tell what is in use."""
    newest, *before = may_be_current(credential, known) or (known.newest,)
    if newest is None or (not before and known.has_current):
        return ""
    older = " or ".join(str(one.epoch) for one in before)
    holds = f"CURRENT holds it or version {older}" if older else "there is no CURRENT yet"
    return f"version {newest.epoch} was begun {newest.written:%Y-%m-%d %H:%M} UTC, and {holds}"


def confirm_until(credential: Credential, known: Known) -> datetime | None:
    """By when who is awaited should have the newest version; None where nothing waits for them.

    In place it is wanted from the first moment: the value before is dead.
    """
    newest = known.newest
    if newest is None or not known.awaited:
        return None
    if credential.strategy is Strategy.IN_PLACE:
        return newest.written
    return confirm_by(credential.policy, newest.written) if known.is_open else None


def plan(
    credential: Credential,
    known: Known,
    *,
    begin: Request | None,
    now: datetime,
    decision: Decision | None = None,
) -> Outcome:
    """`planned` where an attempt has something to do, with the reason; else `unchanged`.

    What a person asked for and may not have yet is `waiting` or `refused`. `decision` is that of its policy,
    where it was made already.
    """
    newest = known.newest
    version = newest.epoch if newest else None
    if known.is_open:
        own = in_use(credential, known)
        finish = told(credential, "planned", FINISH, version=own.epoch if own else None)
        return _with_people(finish, credential, known)
    if begin is None:
        return told(credential, "unchanged", "nothing is open", version=version)
    if credential.strategy is Strategy.BY_HAND:
        return _by_hand(credential, newest, now)
    decision = decision or due(credential.policy, newest, begin, now)
    outcome = "planned" if decision.begin else decision.outcome
    made = told(credential, outcome, decision.reason, next_step=decision.next_step, version=version)
    if outcome != "waiting" and not decision.needs_approval:
        return made
    until = decision.at if outcome == "waiting" else None
    return replace(made, until=until, needs_approval=decision.needs_approval)


def _by_hand(credential: Credential, newest: RecordName | None, now: datetime) -> Outcome:
    """What only a person can do `waits` for them from the day on that it is due."""
    version = newest.epoch if newest else None
    due_at = falls_due(credential.policy, newest.written) if newest else None
    if due_at is not None and due_at > now:
        reason = f"due {due_at:%Y-%m-%d %H:%M} UTC, to be changed by hand"
        return told(credential, "unchanged", reason, version=version)
    since = f"due since {due_at:%Y-%m-%d}" if due_at else "never closed"
    instructions = credential.options.get("instructions", "")
    made = told(
        credential,
        "waiting",
        f"{since}; waits until {credential.owner} has changed it by hand",
        next_step=f"{instructions} {how_to_close(credential.name)}".strip(),
        version=version,
    )
    return replace(made, waits_for=(credential.owner,))


def status(credential: Credential, known: Known, *, begin: Request, now: datetime) -> Outcome:
    """`ok`, with version and age and when it is due; `planned` where the next run has something to do."""
    planned = plan(credential, known, begin=begin, now=now)
    word = "ok" if planned.outcome == "unchanged" else planned.outcome
    own = in_use(credential, known)
    age = f"{_age(now - own.written)} old" if own else begun(credential, known) or "no version yet"
    told_all = planned if planned.waits_for else _with_people(planned, credential, known)
    return replace(told_all, outcome=word, reason=f"{age}; {told_all.reason}")


def _with_people(outcome: Outcome, credential: Credential, known: Known) -> Outcome:
    """The outcome with those who take the newest version by hand and were not said to have it."""
    newest = known.newest
    if newest is None or not known.awaited:
        return outcome
    asks = " ".join(how_to_confirm(credential.name, one, newest.epoch) for one in known.awaited)
    return replace(
        outcome,
        reason=f"{outcome.reason}; {awaits(known.awaited)}",
        next_step=outcome.next_step or asks,
        waits_for=tuple(one.name for one in known.awaited),
    )


def _age(age: timedelta) -> str:
    """In the largest unit of which there are two, the rest cut off."""
    minutes = int(age.total_seconds()) // 60
    for unit, size in (("d", 24 * 60), ("h", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size}{unit}"
    return f"{minutes}m" if minutes > 0 else "less than 1m"


def records_by_name(records: Iterable[RecordName]) -> Mapping[str, tuple[RecordName, ...]]:
    """The records of each credential, newest first."""
    found: dict[str, list[RecordName]] = {}
    for record in sorted(records, key=lambda record: record.order, reverse=True):
        found.setdefault(record.name, []).append(record)
    return {name: tuple(own) for name, own in found.items()}
