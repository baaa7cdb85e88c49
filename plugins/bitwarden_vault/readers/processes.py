"""Which process of this host a number means: a pid comes again, a pid with its start does not.

Rules this file keeps:
- What cannot be seen is None: ended, or in another namespace.
"""

from __future__ import annotations

import os


def started_at(pid: int) -> int | None:
    """The clock ticks since boot at which this process began; None where none of this number lives."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - as everywhere in this package
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {b"Z", b"X"} else int(fields[19])


def program(pid: int) -> str:
    """What the process calls itself, in fifteen characters; its arguments are nobody's business."""
    try:
        with open(f"/proc/{pid}/comm", "rb") as file:  # noqa: PTH123 - as everywhere in this package
            return file.read().decode("ascii", "replace").strip()
    except OSError:
        return ""


def boot() -> str:
    """Changes with each start of the kernel."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:  # noqa: PTH123 - as everywhere in this package
            return file.read().decode("ascii").strip()
    except OSError:
        return ""


def numbers() -> str:
    """The namespace in which our pids mean something: each container has its own."""
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - as everywhere in this package
    except OSError:
        return ""
