"""One sandbox at a time in one folder.

The lock is an open file that every keeper inherits: it is free when the last of them has ended what it keeps,
so that after a kill -9 the next start waits for exactly as long as it has to.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_LIVE_HOLDER = 5.0  # one that lives is perhaps about to end; longer waits are for what it leaves behind


class AlreadyRunning(Exception):
    """Somebody else uses the folder, and goes on using it."""


@contextmanager
def lock(directory: Path, *, within: float) -> Iterator[int]:
    """Hold the folder; the descriptor is what keepers are to inherit."""
    file = _open(directory)
    try:
        _take(file, directory, within)
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        yield file
    finally:
        os.close(file)


def is_free(directory: Path) -> bool:
    """Nobody uses the folder, and nothing of an earlier use is still ending."""
    if not (directory / "lock").exists():
        return True
    with suppress(AlreadyRunning), lock(directory, within=0):
        return True
    return False


def _open(directory: Path) -> int:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise AlreadyRunning(f"{directory} belongs to another user; remove it as that user") from None


def _take(file: int, directory: Path, within: float) -> None:
    began = time.monotonic()
    while not _took(file):
        holder = os.pread(file, 20, 0).decode()
        waited = time.monotonic() - began
        if waited >= (min(within, _LIVE_HOLDER) if _lives(holder) else within):
            raise AlreadyRunning(
                f"another sandbox (process {holder or 'unknown'}) uses {directory}; "
                "`make down` ends one that `make up` left open, any other ends by itself or by Ctrl-C"
            )
        time.sleep(0.1)


def _took(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(holder: str) -> bool:
    return holder.isdigit() and psutil.pid_exists(int(holder))
