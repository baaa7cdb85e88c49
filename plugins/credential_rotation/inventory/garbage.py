"""Python's search for garbage, told to look more rarely while many objects are made that stay.

Ten thousand entries are two million objects, and it looks through all of them again and again: of the
processor's time for checking such an inventory that was 40 of 100.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 100_000
"""Between two looks; Python's own number is 700, or 2,000."""


@contextmanager
def rarely_looked_for() -> Iterator[None]:
    """Until the end of the block, or of the function that it decorates."""
    before = gc.get_threshold()
    gc.set_threshold(max(NEW_OBJECTS, before[0]) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
