"""What a policy promises and can never keep, each told as the inequality that does not hold.

Rules this file keeps:
- Nothing here knows the time: what is refused today is refused on any day.
- The old value is gone before the next version begins, or retiring would never catch up.
- What holds at some times only is left to people; what can never hold is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from credential_rotation.inventory.words import nearest
from credential_rotation.model import CatchUp, Policy, Window
from credential_rotation.times.cron import cron_mistake, next_fire
from credential_rotation.times.durations import write_duration
from credential_rotation.times.schedule import TICK, falls_due
from credential_rotation.times.windows import is_open, next_opening, spacing

_ANY = datetime(2026, 1, 1, tzinfo=timezone.utc)
"""Schedules repeat: what is never found from here is never found."""
_FIRES = 400
"""Looked at for one inside the window: more than a year of days, a generation of months."""
_GAPS = 40
_ZERO = timedelta(0)
_GONE = "the old value has to be gone before the next version begins"


def impossible(policy: Policy, *, soaks: bool = False) -> list[str]:
    """Why this policy can never hold; `soaks` where old keys stay inactive for a while before they go."""
    return list(_impossible(policy, soaks))


@lru_cache(maxsize=1000)
def _impossible(policy: Policy, soaks: bool) -> tuple[str, ...]:  # noqa: FBT001  # a key of the cache
    """Many entries say the same; looking through a cron's times costs some milliseconds."""
    found = list(_without_meaning(policy))
    unreadable = [*_unknown_zones(policy), *_bad_cron(policy)]
    if unreadable:
        return (*found, *unreadable)
    shut = list(_never_open(policy))
    return (*found, *(shut or [*_never_in_window(policy), *_too_tight(policy, soaks=soaks)]))


def _without_meaning(policy: Policy) -> Iterator[str]:
    if policy.max_age is not None and policy.cron is not None:
        yield "max_age and cron both say when a version is due; keep one"
    if policy.jitter and not policy.is_scheduled:
        yield "jitter spreads what max_age or cron say, and neither is there"
    if policy.catch_up is not CatchUp.NEXT_WINDOW and policy.window is None:
        yield f"catch_up {policy.catch_up.value} is about a missed window, and there is no window"
    if policy.timezone != "UTC" and policy.cron is None and policy.window is None:
        yield f"timezone {policy.timezone[:40]} is for cron or window, and neither is there"


def _unknown_zones(policy: Policy) -> Iterator[str]:
    named = [policy.timezone, *([policy.window.timezone] if policy.window else [])]
    for name in dict.fromkeys(named):
        try:
            ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            meant = nearest(name, available_timezones()) or "; write one as Europe/Berlin, or UTC"
            yield f"unknown timezone {name[:40]!r}{meant}"


def _bad_cron(policy: Policy) -> Iterator[str]:
    wrong = cron_mistake(policy.cron) if policy.cron is not None else None
    if wrong:
        yield wrong


def _never_open(policy: Policy) -> Iterator[str]:
    window = policy.window
    if window is None:
        return
    if not window.days:
        yield "window never opens: it has no days"
    elif not window.length:
        yield f"window never opens: from and to are both {_clock(window.opens)}"
    elif window.length < TICK:
        yield (
            f"window {_hours(window)} is shorter than {write_duration(TICK)}, and runs are "
            f"{write_duration(TICK)} apart: they may never fall into it"
        )
    elif policy.jitter > window.length - TICK:
        yield (
            f"jitter {write_duration(policy.jitter)} + {write_duration(TICK)} between runs is longer than "
            f"the window of {write_duration(window.length)}"
        )


def _never_in_window(policy: Policy) -> Iterator[str]:
    """A cron time outside the window waits for it; one that is never inside is a contradiction."""
    cron, window = policy.cron, policy.window
    if cron is None or window is None:
        return
    at = _ANY
    for _ in range(_FIRES):
        at = next_fire(cron, policy.timezone, at)
        if is_open(window, at):
            return
        at = next_opening(window, at).opens - timedelta(seconds=1)
    where = f"the window {_hours(window)} ({window.timezone})"
    yield f"cron {cron} ({policy.timezone}) never fires inside {where}"


def _too_tight(policy: Policy, *, soaks: bool) -> Iterator[str]:
    living = {"grace": policy.grace, "soak": policy.soak if soaks else _ZERO}
    if policy.cron is not None:
        gap = _shortest_gap(policy)
        if sum(living.values(), _ZERO) >= gap:
            yield (
                f"{_sum(living)} is not shorter than {write_duration(gap)}, the shortest time between two "
                f"versions by cron {policy.cron}: {_GONE}"
            )
    elif policy.max_age is not None:
        yield from _too_young(policy.max_age, policy, living)


def _too_young(max_age: timedelta, policy: Policy, living: dict[str, timedelta]) -> Iterator[str]:
    whole = f"max_age {write_duration(max_age)}"
    early = {"jitter": policy.jitter} if policy.window is None else {}
    spent = {**living, **early}
    if any(spent.values()) and sum(spent.values(), _ZERO) >= max_age:
        why = _GONE if any(living.values()) else "a version would be due before it was made"
        yield f"{_sum(spent)} is not shorter than {whole}: {why}"
        return
    apart = spacing(policy.window) if policy.window else _ZERO
    if apart > max_age:
        yield (
            f"windows open {write_duration(apart)} apart, and {whole} is shorter: no version could keep to it"
        )
    elif apart and any(living.values()) and sum(living.values(), apart) >= max_age:
        yield (
            f"{_sum({**living, 'between two windows': apart})} is not shorter than {whole}: a version begins "
            f"in the last window before its max_age, and {_GONE}"
        )


def _shortest_gap(policy: Policy) -> timedelta:
    gap, at = timedelta.max, falls_due(policy, _ANY)
    for _ in range(_GAPS):
        assert at is not None  # noqa: S101  # a policy with a cron falls due
        before, at = at, falls_due(policy, at)
        assert at is not None  # noqa: S101  # as above
        gap = min(gap, at - before)
    return gap


def _sum(terms: dict[str, timedelta]) -> str:
    return " + ".join(f"{name} {write_duration(length)}" for name, length in terms.items() if length)


def _hours(window: Window) -> str:
    return f"{_clock(window.opens)}-{_clock(window.closes)}"


def _clock(since_midnight: timedelta) -> str:
    minutes = int(since_midnight.total_seconds()) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"
