"""Keeps the DAGs' own hourly ticks out of what is being shown; the schedules are the real ones."""

import time
from datetime import datetime, timezone

ROTATIONS, REPAIR = 0, 30
"""The minutes of an hour in which the rotating DAGs and `retire_credentials` begin by themselves."""
_ITS_RUN = 20
_HOUR = 3600


def wait_for(minute: int, within: float, now: datetime) -> float:
    """The seconds until the tick of that minute is over; 0 where none is near.

    It is near if it comes within so many seconds, or came just now: its run takes a while.
    """
    since = (now.minute - minute) % 60 * 60 + now.second + now.microsecond / 1e6
    if since < _ITS_RUN:
        return _ITS_RUN - since
    left = _HOUR - since
    return left + _ITS_RUN if left < within else 0.0


def clear_of(minute: int, within: float) -> None:
    """Wait a tick out that would come within so many seconds."""
    time.sleep(wait_for(minute, within, datetime.now(timezone.utc)))
