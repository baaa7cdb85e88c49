"""A file that keeps whoever opens it waiting, as on a disk that hangs."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(file: Path) -> Iterator[None]:
    """By a lease of this process: until this ends, or for as long as the kernel grants (45 seconds)."""
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # by which the kernel says that somebody waits
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o660)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield
    finally:
        os.close(descriptor)
        signal.signal(signal.SIGIO, before)
