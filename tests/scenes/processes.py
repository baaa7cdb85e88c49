"""What others can read of running processes: arguments, environment, limits, and as their own user memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_EVERY = 0.2
_LARGEST = 256 * 1024 * 1024


@dataclass
class Watched:
    """All processes that descend from this one, looked at again and again while the context is open."""

    seen: dict[tuple[str, str, bytes], None] = field(default_factory=dict, repr=False)
    """Program, "arguments" or "environment", and what it was; each once."""
    _over: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def __enter__(self) -> Watched:  # noqa: PYI034 - typing.Self is younger than Python 3.10
        self._thread = threading.Thread(target=self._look_again, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._thread is not None
        self._over.set()
        self._thread.join()

    @property
    def programs(self) -> set[str]:
        """The names that processes had."""
        return {program for program, _, _ in self.seen}

    def _look_again(self) -> None:
        ours = psutil.Process()
        while not self._over.wait(_EVERY):
            with suppress(psutil.Error):
                for one in ours.children(recursive=True):
                    self._look(one.pid)

    def _look(self, pid: int) -> None:
        with suppress(OSError):
            folder = Path("/proc") / str(pid)
            program = (folder / "comm").read_text().strip()
            self.seen[program, "arguments", (folder / "cmdline").read_bytes()] = None
            self.seen[program, "environment", (folder / "environ").read_bytes()] = None


def memory(pid: int) -> Iterator[tuple[str, bytes]]:
    """Every region that a process reads and writes, and what is mapped there."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as file:
        for line in maps:
            span, rights, _, _, _, *name = line.split(maxsplit=5)
            begin, end = (int(part, 16) for part in span.split("-"))
            what = name[0] if name else "heap of its own"
            if not rights.startswith("rw") or what.startswith(("[vv", "[vsys")) or end - begin > _LARGEST:
                continue
            with suppress(OSError):
                yield what, os.pread(file.fileno(), end - begin, begin)


def core_limit(pid: int) -> tuple[str, str]:
    """How large a core file of it may become: soft and hard limit."""
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    [line] = [line for line in limits if line.startswith("Max core file size")]
    soft, hard = line.split()[4:6]
    return soft, hard
