"""Which version of this package lies on the disk: the time of its newest file.

A dropped-in folder has no version number that anybody raises. A time can also be compared: an older client
keeps using a newer agent, so that two versions on one host do not replace each other's agents for ever.
"""

from __future__ import annotations

import os
from functools import lru_cache


@lru_cache(maxsize=1)
def build() -> int:
    """Nanoseconds since 1970 of the newest source file, looked up once per process."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs import time in every task
    with os.scandir(here) as entries:
        return max(entry.stat().st_mtime_ns for entry in entries if entry.name.endswith(".py"))
