"""Cron expressions, read by croniter: five fields, by the clock of one place.

Rules this file keeps:
- The wall clock counts. A time that it jumps over fires as much later as it jumped; an hour that it repeats
  fires once.
- What fires at random (`R`) or by a hash (`H`) is refused: it would move between two runs.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from croniter import croniter  # type: ignore[import-untyped]  # it ships no types

_FIVE = re.compile(r"[^\sRrHh@]\S*( [^\sRrHh]\S*){4}")
_JUMP = timedelta(hours=1)
_ANY = datetime(2026, 1, 1)  # noqa: DTZ001  # a wall clock's time; any moment does


def next_fire(cron: str, place: str, after: datetime) -> datetime:
    """The first time after a moment. Raises: ValueError (see `cron_mistake`)."""
    zone = ZoneInfo(place)
    fires = croniter(cron, after.astimezone(zone).replace(tzinfo=None) - _JUMP)
    while True:
        wall: datetime = fires.get_next(datetime)
        fire = wall.replace(tzinfo=zone).astimezone(timezone.utc)
        if fire > after:
            return fire


def cron_mistake(cron: str) -> str | None:
    """Why an expression means nothing, or None."""
    if not _FIVE.fullmatch(cron) or not croniter.is_valid(cron):
        return f"cron {cron[:40]!r} is none; write minute hour day month weekday, as in '0 3 1 * *'"
    try:
        croniter(cron, _ANY).get_next(datetime)
    except ValueError:
        return f"cron {cron!r} never fires: there is no such day"
    return None
