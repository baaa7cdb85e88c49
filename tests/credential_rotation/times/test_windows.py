"""When windows are open: by the wall clock of a place, whatever that clock does in spring and autumn."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rotation.model import Window
from credential_rotation.times.windows import is_open, last_opening, next_opening, spacing

PLACES = ("Europe/Berlin", "America/New_York")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
JUMPS = {
    "Europe/Berlin": {date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31)},
    "America/New_York": {date(2026, 3, 8), date(2026, 11, 1), date(2027, 3, 14), date(2027, 11, 7)},
}
NIGHT = Window(22 * HOUR, 5 * HOUR, timezone="Europe/Berlin")


@st.composite
def windows(draw: st.DrawFn) -> Window:
    opens, length = draw(st.integers(0, 24 * 60 - 1)), draw(st.integers(60, 24 * 60 - 1))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    closes = (opens + length) % (24 * 60)
    return Window(opens * MINUTE, closes * MINUTE, days, draw(st.sampled_from(PLACES)))


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(  # noqa: DTZ001  # made aware here
    lambda naive: naive.replace(tzinfo=timezone.utc)
)


def on_the_wall(window: Window, at: datetime) -> bool:
    """Whether it is open, by what the clock on the wall shows and nothing else."""
    wall = at.astimezone(ZoneInfo(window.timezone)).replace(tzinfo=None)
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (midnight, midnight - timedelta(days=1)):
        if day.weekday() in window.days and day + window.opens <= wall < day + window.opens + window.length:
            return True
    return False


def clock_jumps_near(window: Window, at: datetime) -> bool:
    day = at.astimezone(ZoneInfo(window.timezone)).date()
    return any(abs((day - jump).days) <= 1 for jump in JUMPS[window.timezone])


@given(window=windows(), at=MOMENTS)
def test_it_is_open_when_the_wall_clock_says_so(window: Window, at: datetime) -> None:
    """On every day on which the clock runs evenly, windows over midnight included."""
    if not clock_jumps_near(window, at):
        assert is_open(window, at) == on_the_wall(window, at)


@given(window=windows(), at=MOMENTS)
def test_the_next_opening_is_inside_the_window_and_nothing_is_open_before(
    window: Window, at: datetime
) -> None:
    """Also on the days of the jump: what it announces is true, and nothing earlier is passed over."""
    one = next_opening(window, at)
    assert one.opens < one.closes
    assert one.closes > at
    assert is_open(window, max(at, one.opens))
    if one.opens > at:
        assert not is_open(window, at)
        assert not is_open(window, at + (one.opens - at) / 2)
        assert not is_open(window, one.opens - timedelta(microseconds=1))


@given(window=windows(), at=MOMENTS)
def test_the_last_opening_is_the_latest_that_began(window: Window, at: datetime) -> None:
    """What was missed is the latest window: until this moment none has begun after it."""
    one = last_opening(window, at)
    assert one.opens <= at
    assert is_open(window, one.opens)
    if not clock_jumps_near(window, at):
        assert next_opening(window, one.closes).opens > at or one.holds(at)
        assert is_open(window, at) == one.holds(at)


@given(window=windows(), at=MOMENTS)
def test_openings_are_no_farther_apart_than_said(window: Window, at: datetime) -> None:
    """Give or take the hour that a clock jumps, unless the jump swallowed an opening."""
    one = last_opening(window, at)
    after = next_opening(window, one.closes)
    if not any(clock_jumps_near(window, moment) for moment in (one.opens, at, after.opens)):
        assert after.opens - one.opens <= spacing(window) + HOUR


@pytest.mark.parametrize("place", PLACES)
def test_every_window_that_is_long_enough_opens_on_some_day_of_each_week(place: str) -> None:
    """Each hour of each weekday, over two years of jumps: the next opening is at most two weeks away."""
    for hour in range(24):
        for day in range(7):
            window = Window(hour * HOUR, (hour + 1) % 24 * HOUR, frozenset({day}), place)
            at = datetime(2026, 1, 1, tzinfo=timezone.utc)
            while at.year < 2027:
                after = next_opening(window, at).closes
                assert after - at <= timedelta(days=14, hours=3)
                at = after


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


DST = {
    "a winter's night": (NIGHT, "2026-01-10T12:00", "2026-01-10T21:00", "2026-01-11T04:00"),
    "a summer's night": (NIGHT, "2026-07-10T12:00", "2026-07-10T20:00", "2026-07-11T03:00"),
    "the short night in spring": (NIGHT, "2026-03-28T12:00", "2026-03-28T21:00", "2026-03-29T03:00"),
    "the long night in autumn": (NIGHT, "2026-10-24T12:00", "2026-10-24T20:00", "2026-10-25T04:00"),
    "an opening that the clock jumps over is an hour later on the wall": (
        Window(2 * HOUR + 30 * MINUTE, 5 * HOUR, timezone="Europe/Berlin"),
        "2026-03-29T00:00",
        "2026-03-29T01:30",
        "2026-03-29T03:00",
    ),
    "a window that the clock jumps over whole is not open on that day": (
        Window(2 * HOUR + 30 * MINUTE, 3 * HOUR + 30 * MINUTE, timezone="Europe/Berlin"),
        "2026-03-29T00:00",
        "2026-03-30T00:30",
        "2026-03-30T01:30",
    ),
    "an hour that comes twice opens with its first pass": (
        Window(2 * HOUR + 30 * MINUTE, 5 * HOUR, timezone="Europe/Berlin"),
        "2026-10-24T23:00",
        "2026-10-25T00:30",
        "2026-10-25T04:00",
    ),
    "New York, in spring": (
        Window(22 * HOUR, 5 * HOUR, timezone="America/New_York"),
        "2026-03-07T20:00",
        "2026-03-08T03:00",
        "2026-03-08T09:00",
    ),
    "a Friday's night ends on Saturday": (
        Window(22 * HOUR, 5 * HOUR, frozenset({4})),
        "2026-11-27T23:30",
        "2026-11-27T22:00",
        "2026-11-28T05:00",
    ),
    "a Friday's night is not open on Friday morning": (
        Window(22 * HOUR, 5 * HOUR, frozenset({4})),
        "2026-11-27T03:00",
        "2026-11-27T22:00",
        "2026-11-28T05:00",
    ),
    "until midnight": (
        Window(20 * HOUR, 24 * HOUR),
        "2026-11-27T03:00",
        "2026-11-27T20:00",
        "2026-11-28T00:00",
    ),
    "a whole day": (
        Window(0 * HOUR, 24 * HOUR, frozenset({5})),
        "2026-11-27T03:00",
        "2026-11-28T00:00",
        "2026-11-29T00:00",
    ),
}


@pytest.mark.parametrize("case", DST)
def test_next_opening(case: str) -> None:
    """Opening and closing in UTC, worked out by hand."""
    window, at, opens, closes = DST[case]
    one = next_opening(window, utc(at))
    assert (one.opens, one.closes) == (utc(opens), utc(closes))


SPACING = {
    "every day": (range(7), 1),
    "one day": ([6], 7),
    "workdays": (range(5), 3),
    "two days next to each other": ([0, 1], 6),
    "over the end of the week": ([1, 5], 4),
}


@pytest.mark.parametrize("case", SPACING)
def test_the_longest_time_between_two_openings(case: str) -> None:
    """Counted over the end of the week too."""
    days, apart = SPACING[case]
    assert spacing(Window(1 * HOUR, 3 * HOUR, frozenset(days))) == timedelta(days=apart)
