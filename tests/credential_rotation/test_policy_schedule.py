"""Cron, window, jitter, catch-up and "not before": when a version falls due, and what holds it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rotation.model import UNMANAGED_EPOCH, CatchUp, Policy, Window
from credential_rotation.policy import Request, due
from credential_rotation.times.durations import share_of
from credential_rotation.times.schedule import falls_due
from credential_rotation.times.windows import is_open
from scenes.inventory.schedules import (
    AGED,
    DAY,
    HOUR,
    MONTHLY,
    NIGHT,
    NIGHTLY,
    SPREAD,
    WEEKENDS,
    Version,
    utc,
)

FALLS_DUE = {
    "no window: to the moment": (AGED, "2026-11-01T12:00", "2026-12-01T12:00"),
    "a window holds the moment: from its opening, so that nothing creeps": (
        NIGHTLY,
        "2026-11-01T23:30",
        "2026-12-01T21:00",
    ),
    "the moment is by day: in the night before, for it may not get older": (
        NIGHTLY,
        "2026-11-01T12:00",
        "2026-11-30T21:00",
    ),
    "a window once a week: the last one before": (WEEKENDS, "2026-11-01T22:30", "2026-11-08T21:00"),
    "a window once a week, rotated by hand in between: the last one before": (
        WEEKENDS,
        "2026-11-04T12:00",
        "2026-11-08T21:00",
    ),
    "no window begins within its life: the first after it": (
        replace(WEEKENDS, max_age=2 * DAY),
        "2026-11-02T12:00",
        "2026-11-08T21:00",
    ),
    "a life that begins and ends in one window: to the moment": (
        replace(NIGHTLY, max_age=2 * HOUR),
        "2026-11-01T22:00",
        "2026-11-02T00:00",
    ),
    "jitter begins earlier, never later": (SPREAD, "2026-11-01T12:00", "2026-12-01T08:00"),
    "jitter in a window delays from its opening": (
        replace(SPREAD, window=NIGHT, share=2 * HOUR),
        "2026-11-01T12:00",
        "2026-11-30T23:00",
    ),
    "jitter in a window ends before the age does": (
        replace(SPREAD, window=NIGHT, share=2 * HOUR),
        "2026-11-01T21:30",
        "2026-12-01T21:30",
    ),
    "jitter leaves the last run in a window": (
        replace(SPREAD, window=NIGHT, share=9 * HOUR),
        "2026-11-01T12:00",
        "2026-12-01T03:00",
    ),
    "cron: its next time, by its own clock": (MONTHLY, "2026-11-05T00:00", "2026-12-01T02:00"),
    "cron, in summer": (MONTHLY, "2026-06-05T00:00", "2026-07-01T01:00"),
    "cron, written in the moment that it fired: the next time": (
        MONTHLY,
        "2026-11-01T02:00",
        "2026-12-01T02:00",
    ),
    "cron that the clock jumps over: an hour later on the wall": (
        replace(MONTHLY, cron="30 2 * * *"),
        "2026-03-28T12:00",
        "2026-03-29T01:30",
    ),
    "cron in an hour that comes twice: once": (
        replace(MONTHLY, cron="30 2 * * *"),
        "2026-10-25T00:30",
        "2026-10-26T01:30",
    ),
    "cron after a jumped time is still found": (
        replace(MONTHLY, cron="30 2 * * *"),
        "2026-03-29T01:10",
        "2026-03-29T01:30",
    ),
    "cron and jitter: later, never before its time": (
        replace(MONTHLY, jitter=2 * HOUR, share=HOUR),
        "2026-11-05T00:00",
        "2026-12-01T03:00",
    ),
    "cron within the window: its time": (
        replace(MONTHLY, window=NIGHT),
        "2026-11-05T00:00",
        "2026-12-01T02:00",
    ),
    "cron outside the window: when that opens": (
        replace(MONTHLY, cron="0 12 1 * *", window=NIGHT),
        "2026-11-05T00:00",
        "2026-12-01T21:00",
    ),
}


@pytest.mark.parametrize("case", FALLS_DUE)
def test_falls_due(case: str) -> None:
    """The first moment at which a version may be replaced follows from when it was written."""
    policy, written, at = FALLS_DUE[case]
    assert falls_due(policy, utc(written)) == utc(at)


def test_manual_never_falls_due() -> None:
    """Neither age nor time: only when asked."""
    assert falls_due(Policy("manual"), utc("2026-11-01T12:00")) is None


TICKS: dict[str, tuple[Policy, Version | None, str, bool, str]] = {
    "cron, before its time: not due": (
        MONTHLY,
        Version(3, utc("2026-11-05T00:00")),
        "2026-11-30T12:00",
        False,
        "due 2026-12-01 02:00 UTC",
    ),
    "cron, in its time: due": (
        MONTHLY,
        Version(3, utc("2026-11-05T00:00")),
        "2026-12-01T02:00",
        True,
        "due since 2026-12-01 02:00 UTC by cron 0 3 1 * *",
    ),
    "cron, Airflow was down in its time: due all the same": (
        MONTHLY,
        Version(3, utc("2026-11-05T00:00")),
        "2026-12-03T12:00",
        True,
        "due since 2026-12-01 02:00 UTC by cron 0 3 1 * *",
    ),
    "cron, nothing is stored yet: at once": (MONTHLY, None, "2026-11-05T00:00", True, "never rotated"),
    "cron, a person's own value: in its time, as the person asked": (
        MONTHLY,
        Version(UNMANAGED_EPOCH, utc("2026-11-05T00:00")),
        "2026-11-06T00:00",
        False,
        "due 2026-12-01 02:00 UTC",
    ),
    "window, never rotated, at night: due": (NIGHTLY, None, "2026-11-05T23:00", True, "never rotated"),
    "window, never rotated, by day: waits for the night": (
        NIGHTLY,
        None,
        "2026-11-05T12:00",
        False,
        "never rotated; its window opens 2026-11-05 21:00 UTC",
    ),
    "window, before the last night of its life: not due": (
        NIGHTLY,
        Version(3, utc("2026-11-01T12:00")),
        "2026-11-30T20:59",
        False,
        "due 2026-11-30 21:00 UTC",
    ),
    "window, in the last night of its life: due, and the reason says until when it may live": (
        NIGHTLY,
        Version(3, utc("2026-11-01T12:00")),
        "2026-11-30T21:00",
        True,
        "older than 30d from 2026-12-01 12:00 UTC",
    ),
    "window, the night was missed: waits for the next": (
        NIGHTLY,
        Version(3, utc("2026-11-01T12:00")),
        "2026-12-01T08:00",
        False,
        "older than 30d from 2026-12-01 12:00 UTC; missed its window, which opens 2026-12-01 21:00 UTC",
    ),
    "window, the night was missed, at_once: begun by day": (
        replace(NIGHTLY, catch_up=CatchUp.AT_ONCE),
        Version(3, utc("2026-11-01T12:00")),
        "2026-12-01T08:00",
        True,
        "older than 30d from 2026-12-01 12:00 UTC; its window closed 2026-12-01 04:00 UTC, missed",
    ),
    "window, at_once, never rotated: nothing was missed, so it waits": (
        replace(NIGHTLY, catch_up=CatchUp.AT_ONCE),
        None,
        "2026-11-05T12:00",
        False,
        "never rotated; its window opens 2026-11-05 21:00 UTC",
    ),
    "window, at_once, before its night: not due": (
        replace(NIGHTLY, catch_up=CatchUp.AT_ONCE),
        Version(3, utc("2026-11-01T12:00")),
        "2026-11-30T12:00",
        False,
        "due 2026-11-30 21:00 UTC",
    ),
    "window, overdue, in the next night: due": (
        NIGHTLY,
        Version(3, utc("2026-11-01T12:00")),
        "2026-12-01T21:00",
        True,
        "older than 30d",
    ),
}


@pytest.mark.parametrize("case", TICKS)
def test_a_tick(case: str) -> None:
    """What the hourly run decides; what it may not begin is nothing left to do, and not a failure."""
    policy, version, now, begin, reason = TICKS[case]
    decision = due(policy, version, Request(at=utc(now), by="schedule"), utc(now))
    assert (decision.begin, decision.reason, decision.outcome) == (begin, reason, "unchanged")


def test_due_but_held_back_is_not_the_same_as_not_due() -> None:
    """Whoever goes after it, and the list of what is overdue, can tell the two apart."""
    old, young = Version(3, utc("2026-10-01T12:00")), Version(3, utc("2026-12-01T11:00"))
    now = utc("2026-12-01T12:00")
    tick = Request(at=now, by="schedule")
    paused = replace(NIGHTLY, pause=True)
    assert [due(policy, old, tick, now).blocked for policy in (NIGHTLY, paused, AGED)] == [True, True, False]
    assert [due(policy, young, tick, now).blocked for policy in (NIGHTLY, paused, AGED)] == [False] * 3
    assert due(NIGHTLY, old, tick, now).at == utc("2026-12-01T21:00")


# --- what holds for all of them ------------------------------------------------------------------------

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1)).map(  # noqa: DTZ001  # made aware here
    lambda naive: naive.replace(tzinfo=timezone.utc, microsecond=0)
)
PLACES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"])


@st.composite
def kept_policies(draw: st.DrawFn) -> Policy:
    """A max age that is longer than the time between windows, and the shares that names may draw."""
    length = draw(st.integers(1, 23))
    opens = draw(st.integers(0, 23))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    window = Window(opens * HOUR, (opens + length) % 24 * HOUR, days, draw(PLACES))
    jitter = draw(st.integers(0, length - 1)) * HOUR
    share = share_of(jitter, draw(st.text(max_size=5)))
    window_or_none = draw(st.sampled_from([window, None]))
    return Policy(
        "kept", max_age=draw(st.integers(8, 90)) * DAY, window=window_or_none, jitter=jitter, share=share
    )


@given(policy=kept_policies(), written=MOMENTS)
def test_no_version_gets_older_than_its_policy_allows(policy: Policy, written: datetime) -> None:
    """Whatever window and jitter say, over every jump of the clock: due in time and inside the window."""
    at = falls_due(policy, written)
    assert at is not None
    assert policy.max_age is not None
    assert written < at <= written + policy.max_age
    assert is_open(policy.window, at)


@pytest.mark.parametrize("late", [0, 1, 30, 59], ids="{} minutes past the hour".format)
def test_rotations_do_not_creep_through_their_window(late: int) -> None:
    """A version a week, at the first run of each Sunday's window, for a year of runs that take their time."""
    policy = replace(WEEKENDS, max_age=7 * DAY)
    now, version, begun = utc("2026-01-04T21:00") + late * timedelta(minutes=1), None, []
    while now.year == 2026:
        if due(policy, version, Request(at=now, by="schedule"), now).begin:
            version = Version(3, now + timedelta(seconds=40))
            begun.append(now.astimezone(ZoneInfo("Europe/Berlin")))
        now += HOUR
    assert len(begun) == 52
    assert {(at.isoweekday(), at.hour, at.minute) for at in begun} == {(7, 22, late)}


@given(name=st.text(), length=st.integers(0, 100_000))
def test_a_share_is_a_part_of_the_whole(name: str, length: int) -> None:
    """In whole seconds, from nothing to almost all of it."""
    whole = timedelta(seconds=length)
    assert timedelta(0) <= share_of(whole, name) <= whole
    assert share_of(whole, name).microseconds == 0


def test_shares_are_pinned_to_their_names() -> None:
    """The same in each process and each version: a rotation that moved between two runs could be missed."""
    day = timedelta(days=1)
    assert [str(share_of(day, name)) for name in ("warehouse-etl", "reporting")] == ["19:38:41", "9:19:37"]


def test_a_hundred_names_are_spread_evenly() -> None:
    """No hour of a day of jitter has more than a tenth of them, and hardly one has none."""
    hours = [share_of(DAY, f"credential-{number}") // HOUR for number in range(100)]
    assert max(hours.count(hour) for hour in range(24)) <= 10
    assert sum(hour not in hours for hour in range(24)) <= 4
