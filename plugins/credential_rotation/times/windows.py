"""When a window is open, as moments in UTC.

Rules this file keeps:
- A window belongs to the day on which it opens: Friday's, 22:00 to 05:00, ends on Saturday morning.
- The wall clock counts. Where it jumps forward over an opening, the window opens at the jump's end; where it
  repeats an hour, the first pass counts. What a jump swallows whole does not open on that day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from credential_rotation.model import Window

_DAY = timedelta(days=1)
_FARTHEST = 16
"""Days to look: one weekday, the same a week later should a jump swallow the first, and the edges."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One time that a window is open."""

    opens: datetime
    closes: datetime

    def holds(self, at: datetime) -> bool:
        """Whether a moment lies inside; the closing one does not."""
        return self.opens <= at < self.closes


def is_open(window: Window | None, at: datetime) -> bool:
    """Whether new versions may begin at this moment; without a window always."""
    return window is None or next_opening(window, at).opens <= at


def next_opening(window: Window, at: datetime) -> Opening:
    """The time it is open at this moment, or else the next one."""
    first = _local_day(window, at) - _DAY
    return next(one for one in _openings(window, first, _DAY) if one.closes > at)


def last_opening(window: Window, at: datetime) -> Opening:
    """The latest time that began no later than this moment."""
    return next(one for one in _openings(window, _local_day(window, at), -_DAY) if one.opens <= at)


def spacing(window: Window) -> timedelta:
    """The longest time from one opening to the next, by the wall clock."""
    days = sorted(window.days)
    gaps = [(after - day) % 7 or 7 for day, after in zip(days, [*days[1:], days[0]], strict=True)]
    return max(gaps) * _DAY


def _openings(window: Window, first: date, step: timedelta) -> Iterator[Opening]:
    for number in range(_FARTHEST):
        day = first + number * step
        if day.weekday() not in window.days:
            continue
        one = _on(window, day)
        if one.opens < one.closes:
            yield one


def _on(window: Window, day: date) -> Opening:
    place, midnight = ZoneInfo(window.timezone), datetime.combine(day, time.min)
    opens = midnight + window.opens
    closes = opens + window.length
    return Opening(*(wall.replace(tzinfo=place).astimezone(timezone.utc) for wall in (opens, closes)))


def _local_day(window: Window, at: datetime) -> date:
    return at.astimezone(ZoneInfo(window.timezone)).date()
