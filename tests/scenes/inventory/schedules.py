"""Policies of a role that is due at night, by age or by cron, and versions of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from credential_rotation.model import Policy, Window

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = Window(22 * HOUR, 5 * HOUR, timezone="Europe/Berlin")
"""From 21:00 to 04:00 UTC, in winter."""
SUNDAY = replace(NIGHT, days=frozenset({6}))
AGED = Policy("aged", max_age=30 * DAY)
NIGHTLY = replace(AGED, window=NIGHT)
MONTHLY = Policy("monthly", cron="0 3 1 * *", timezone="Europe/Berlin")
"""At 02:00 UTC, in winter."""
WEEKENDS = Policy("weekends", max_age=8 * DAY, window=SUNDAY)
SPREAD = replace(AGED, jitter=10 * HOUR, share=4 * HOUR)


def utc(text: str) -> datetime:
    """The moment, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Version:
    """Implements `policy.Version`."""

    epoch: int
    written: datetime
