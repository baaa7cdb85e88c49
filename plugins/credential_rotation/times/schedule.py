"""When a version falls due: the arithmetic of max age, cron, window and jitter, without a clock.

Rules this file keeps:
- `max_age` is a promise: no version gets older. So jitter spreads to the early side, and a window is used
  the last time that it opens before the promise would break. Begun at the opening and not at the exact
  hour, rotations do not creep through the window until they miss it.
- A cron time or a window's opening is never run ahead of; jitter delays from there, inside the window.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from credential_rotation.model import Policy
from credential_rotation.times.cron import next_fire
from credential_rotation.times.windows import last_opening, next_opening

TICK = timedelta(hours=1)
"""How often the rotating DAGs look; a window has to be at least as long."""
CONFIRM_WITHIN = timedelta(days=7)
"""After grace: so long people may take a new value by hand before it is told that they have not."""
LATE = timedelta(days=1)
"""How late a rotation may come (a down target, a night) before what depends on it may fail."""


def falls_due(policy: Policy, written: datetime) -> datetime | None:
    """The first moment at which a version of this age may be replaced; None where only when asked."""
    if policy.max_age is not None:
        return _before_too_old(policy, written, written + policy.max_age)
    if policy.cron is not None:
        return _in_window(policy, next_fire(policy.cron, policy.timezone, written) + policy.share)
    return None


def promised_until(policy: Policy, written: datetime) -> datetime | None:
    """The moment at which a version of this age breaks its policy's promise; None where it makes none."""
    due = falls_due(policy, written)
    if due is None or policy.max_age is None:
        return due
    return max(due, written + policy.max_age)


def in_use_until(policy: Policy, written: datetime) -> datetime | None:
    """How long a version may be in use: until the next is due, or late, and grace is over; None as above."""
    oldest = promised_until(policy, written)
    return None if oldest is None else oldest + policy.grace + LATE


def confirm_by(policy: Policy, written: datetime) -> datetime:
    """By when people should have taken a version by hand: within a week of grace, before the next is due."""
    week, next_one = written + policy.grace + CONFIRM_WITHIN, promised_until(policy, written)
    return week if next_one is None else min(week, next_one)


def _before_too_old(policy: Policy, written: datetime, limit: datetime) -> datetime:
    if policy.window is None:
        return limit - policy.share
    last = last_opening(policy.window, limit)
    if last.opens <= written:  # no window begins within its life: the first chance after that
        return _in_window(policy, limit)
    spread = min(last.opens + policy.share, last.closes - TICK)
    return min(max(last.opens, spread), limit)


def _in_window(policy: Policy, at: datetime) -> datetime:
    return at if policy.window is None else max(at, next_opening(policy.window, at).opens)
