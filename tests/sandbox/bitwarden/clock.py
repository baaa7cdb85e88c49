"""The server's clock: 100-ns ticks, and a hand to turn it forward.

Turning it moves bearer expiry, rate windows and dates together, as a client with a slow clock would see it.
"""

import re
import time
from datetime import datetime, timedelta, timezone
from functools import lru_cache

TICKS_PER_SECOND = 10_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FRACTION = re.compile(r"\.(\d+)")


class Clock:
    """Tells the time in ticks of 100 ns since 1970."""

    def __init__(self) -> None:
        self._ahead = 0

    def advance(self, seconds: float) -> None:
        """From now on the server lives that much later."""
        self._ahead += round(seconds * TICKS_PER_SECOND)

    def ticks(self) -> int:
        """Now, in ticks."""
        return time.time_ns() // 100 + self._ahead

    def seconds(self) -> float:
        """Now, in seconds."""
        return self.ticks() / TICKS_PER_SECOND


def wire_date(ticks: int) -> str:
    """Ticks as the API writes them: seven decimals, `Z`."""
    whole, fraction = divmod(ticks, TICKS_PER_SECOND)
    return f"{_second(whole)}.{fraction:07d}Z"


@lru_cache(maxsize=4096)
def _second(whole: int) -> str:
    return f"{_EPOCH + timedelta(seconds=whole):%Y-%m-%dT%H:%M:%S}"


def read_date(text: str) -> int:
    """Ticks of an ISO date with any number of decimals; `ValueError` when it is none or has no zone."""
    found = _FRACTION.search(text)
    fraction = int(found.group(1)[:7].ljust(7, "0")) if found else 0
    moment = datetime.fromisoformat(_FRACTION.sub("", text).replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return int((moment - _EPOCH).total_seconds()) * TICKS_PER_SECOND + fraction
