"""Where the audit trail lies: the names of its segments and checkpoints, and who may read them.

Rules this file keeps:
- No two agents have a name in common, also on hosts of one name and with one process id (containers).
- Files are made once (never opened again for writing), 0600; a checkpoint is replaced as a whole.
- A segment for which lines wait in memory is locked; the kernel unlocks it when its agent is gone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import time

SEGMENT = ".jsonl"
CHECKPOINT = ".checkpoint"
_SEGMENT = re.compile(r"(.+-\d{8}T\d{6}Z-\d+-[0-9a-f]{8})-(\d{6,})\.jsonl")
_OTHER = re.compile(r"[^A-Za-z0-9.]+")


def new_agent_name() -> str:
    """Host, moment of start, process, and something that nobody else has."""
    host = _OTHER.sub("_", os.uname().nodename)[:64] or "host"
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return f"{host}-{moment}-{os.getpid()}-{os.urandom(4).hex()}"


def segment_name(agent: str, number: int) -> str:
    """The file of an agent's segment."""
    return f"{agent}-{number:06}{SEGMENT}"


def parse_segment_name(name: str) -> tuple[str, int] | None:
    """Agent and number; None where it is another file."""
    match = _SEGMENT.fullmatch(name)
    found = (match[1], int(match[2])) if match else None
    return found if found and segment_name(*found) == name else None  # no second way to write a number


def create(directory: str, name: str) -> int:
    """A descriptor of a new file. Raises: OSError."""
    os.makedirs(directory, 0o700, exist_ok=True)  # noqa: PTH103 - as everywhere in this package
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    made = os.open(f"{directory}/{name}", flags, 0o600)
    _keep_name(directory)
    return made


def hold(file: int) -> None:
    """More is to be written into it, however long that takes."""
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def release(file: int) -> None:
    """Nothing waits for it any more."""
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_UN)


def is_held(path: str) -> bool:
    """Whether somebody has more to write into it, or that cannot be told. Raises: OSError (no such file)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def replace(directory: str, name: str, content: bytes) -> None:
    """The old file or the new one, after a crash too. Raises: OSError."""
    os.makedirs(directory, 0o700, exist_ok=True)  # noqa: PTH103 - as everywhere in this package
    fresh = f"{directory}/{name}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)  # noqa: PTH108 - left by a full disk
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        written = os.write(descriptor, content)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    if written < len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.rename(fresh, f"{directory}/{name}")  # noqa: PTH104 - as everywhere in this package


def _keep_name(directory: str) -> None:
    """A file is on the disk when its directory is, too."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
