"""What the next run would do, told from the names in the vault alone: one list for the whole inventory.

Rules this file keeps:
- No value is read and no target is asked; what was changed by hand only an attempt or `verify` sees.
- An open version is always gone on with, whatever the policy says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome, told
from credential_rotation.policy import Request, due
from credential_rotation.records import RecordName

FINISH = "an earlier run was interrupted, or a replaced version is not retired yet"


@dataclass(frozen=True, slots=True)
class Known:
    """What the names tell about one credential."""

    names: tuple[RecordName, ...]
    """Newest first, with intents and endings."""
    has_current: bool

    @property
    def records(self) -> tuple[RecordName, ...]:
        """The versions, newest first."""
        return tuple(name for name in self.names if not name.kind)

    @property
    def newest(self) -> RecordName | None:
        """The newest version's record."""
        return next(iter(self.records), None)

    @property
    def is_open(self) -> bool:
        """Something was begun and is not over."""
        return len(self.names) > 1 or (bool(self.names) and not self.has_current)


def plan(credential: Credential, known: Known, *, begin: Request | None, now: datetime) -> Outcome:
    """`planned` where an attempt has something to do, with the reason; else `unchanged`.

    What a person asked for and may not have yet is `waiting` or `refused`.
    """
    newest = known.newest
    made = replace(told(credential, "unchanged", "nothing is open"), version=newest.epoch if newest else None)
    if known.is_open:
        return replace(made, outcome="planned", reason=FINISH)
    if begin is None:
        return made
    decision = due(credential.policy, newest, begin, now)
    return replace(
        made,
        outcome="planned" if decision.begin else decision.outcome,
        reason=decision.reason,
        next_step=decision.next_step,
        until=decision.at if decision.outcome == "waiting" else None,
    )


def status(credential: Credential, known: Known, *, begin: Request, now: datetime) -> Outcome:
    """`ok`, with version and age and when it is due; `planned` where the next run has something to do."""
    planned = plan(credential, known, begin=begin, now=now)
    word = "ok" if planned.outcome == "unchanged" else planned.outcome
    age = f"{_age(now - known.newest.written)} old" if known.newest else "no version yet"
    return replace(planned, outcome=word, reason=f"{age}; {planned.reason}")


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
