"""What nobody would be told otherwise: a rotation that is missing makes no failure.

Rules this file keeps:
- Pure: the names in the vault, the policies and the time decide; no value is read and no target asked.
- A day of tolerance: what the next ticks still can do is not told.
- Each finding says what is to be done, or when it is over by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from credential_rotation.by_hand import RECORDS
from credential_rotation.model import UNMANAGED_EPOCH, Credential
from credential_rotation.planning.planning import Known, begun, in_use, may_be_current
from credential_rotation.times.durations import write_duration
from credential_rotation.times.schedule import falls_due

RETIRING, VERIFYING = "retire_credentials", "verify_credentials"
SCHEDULED = ("rotate_database_credentials", "rotate_cloud_credentials", RETIRING, VERIFYING)
"""The DAGs without which something is missing; the one that asks people, only where a policy wants that."""
TOLERANCE = timedelta(days=1)
EXPIRY_WARNINGS = (30, 7, 1)
"""Days before its end on which an access token's expiry is told; from the last one on, every day."""

RENEW = "renew it as docs/runbook.md has it"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody should know."""

    name: str
    """The credential's, or "" where it concerns all."""
    what: str
    owner: str = ""


def findings(
    credentials: Iterable[Credential], known: Mapping[str, Known], now: datetime
) -> tuple[Finding, ...]:
    """All that is overdue, never begun, stuck or paused, in the inventory's order."""
    found = (
        (credential, what)
        for credential in credentials
        for what in _of_one(credential, known[credential.name], now)
    )
    return tuple(Finding(credential.name, what, credential.owner) for credential, what in found)


def expiry(ends: Mapping[str, datetime], now: datetime) -> tuple[Finding, ...]:
    """Which access tokens end soon, by slot; Bitwarden does not tell, so that people have to say it."""
    return tuple(Finding("", what) for slot, end in ends.items() for what in _ending(slot, end, now))


def paused(dag: str) -> Finding:
    """A DAG that is switched off, and what that stops."""
    if dag == RETIRING:
        return Finding(
            "", f"DAG {dag} is paused: what was interrupted is not finished, and no replaced value is ended"
        )
    if dag == VERIFYING:
        return Finding("", f"DAG {dag} is paused: nobody hears of a value that no longer works")
    if dag == RECORDS:
        return Finding("", f"DAG {dag} is paused: nobody can say in Airflow what was done by hand")
    return Finding("", f"DAG {dag} is paused: nothing rotates by schedule")


def _ending(slot: str, end: datetime, now: datetime) -> Iterable[str]:
    days = (end - now) // timedelta(days=1)
    token = f"the Bitwarden access token in {slot}"
    if end <= now:
        yield f"{token} expired on {end:%Y-%m-%d}: {RENEW}"
    elif days in EXPIRY_WARNINGS or days < min(EXPIRY_WARNINGS):
        yield f"{token} expires on {end:%Y-%m-%d}, in {days} days: {RENEW}"


def _of_one(credential: Credential, known: Known, now: datetime) -> Iterable[str]:
    if credential.policy.pause:
        yield "paused by its policy: nothing new begins"
    else:
        yield from _missing(credential, known, now)
    yield from _stuck(credential, known, now)


def _missing(credential: Credential, known: Known, now: datetime) -> Iterable[str]:
    """What the schedule should have begun."""
    policy, own = credential.policy, in_use(credential, known)
    is_ours = own is not None and own.epoch != UNMANAGED_EPOCH
    if policy.is_scheduled and not is_ours and (own is not None or known.newest is None):
        yield "never rotated: is the rotating DAG paused? Its tasks' logs say what keeps it"
    elif own is not None and policy.is_scheduled:
        due = falls_due(policy, own.written)
        if due is not None and due + TOLERANCE < now:
            yield f"overdue since {due:%Y-%m-%d}: version {own.epoch} is {_days(now - own.written)} old"


def _stuck(credential: Credential, known: Known, now: datetime) -> Iterable[str]:
    """What was begun and is not over; a pause does not stop its end."""
    policy, since = credential.policy, known.open_since
    if since is None or known.awaited:  # whom it waits for is told by `reminders`
        return
    if since + policy.grace + policy.soak + TOLERANCE < now:
        what = begun(credential, known) or f"something is open since {since:%Y-%m-%d}"
        yield f"stuck: {what}; {_overdue_perhaps(credential, known, now)}the runs that try it say why"


def _overdue_perhaps(credential: Credential, known: Known, now: datetime) -> str:
    """The version before, should CURRENT hold that one still."""
    *_, before = may_be_current(credential, known) or (None,)
    due = falls_due(credential.policy, before.written) if before else None
    if before is None or due is None or due + TOLERANCE >= now or in_use(credential, known):
        return ""
    return f"version {before.epoch} was due on {due:%Y-%m-%d}; "


def _days(age: timedelta) -> str:
    return write_duration(timedelta(days=age.days)) if age.days else "less than a day"
