"""Durations as people write them: `1w`, `90d`, `12h`, `15m`.

Rules this file keeps:
- One whole number above zero, one unit; zero is said by leaving the duration out.
- What is printed can be read again (except zero).
- A share follows from the name alone: it is the same in each process and never moves between two runs.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from credential_rotation.errors import BadInput

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
}
_PATTERN = re.compile(r"([1-9][0-9]{0,4})([wdhm])")


def parse_duration(text: str) -> timedelta:
    """Read `90d` as 90 days. Raises: BadInput."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise BadInput(
            f"{text[:40]!r} is not a duration",
            next_step="Write a whole number above zero and a unit: 1w, 90d, 12h or 15m.",
        )
    return int(match[1]) * _UNITS[match[2]]


def write_duration(length: timedelta) -> str:
    """Say a duration in its largest unit that fits exactly; what is below a minute is cut off."""
    for unit, size in _UNITS.items():
        if length and not length % size:
            return f"{length // size}{unit}"
    return f"{length // _UNITS['m']}m"


def share_of(length: timedelta, name: str) -> timedelta:
    """A part of a duration, in whole seconds, that spreads names evenly over it."""
    drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return timedelta(seconds=int(length.total_seconds()) * drawn >> 64)
