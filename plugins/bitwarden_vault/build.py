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
    return _newest(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib costs import time in every task


def _newest(folder: str) -> int:
    newest = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                newest = max(newest, entry.stat().st_mtime_ns)
            elif entry.is_dir() and entry.name != "__pycache__":
                newest = max(newest, _newest(entry.path))
    return newest
