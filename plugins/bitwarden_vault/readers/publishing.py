"""The agent's side of publishing who reads: the process that does it is begun, watched and ended.

Rules this file keeps:
- One at a time; one that hangs is killed, and another begins only after it is gone.
- The order goes through a file in memory: it can be of any size, and neither side waits for the other.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, ClassVar

from bitwarden_vault.environment import LAUNCH, kept_environment
from bitwarden_vault.readers.document import FOLDER, HEARTBEAT, SCHEMA
from bitwarden_vault.readers.processes import boot, numbers, started_at
from bitwarden_vault.readers.table import ReaderTable
from bitwarden_vault.settings import Settings

DEADLINE = 60.0
"""Seconds for one batch."""
LAST_WORDS, LAST_WORDS_AFAR = 2.0, 20.0
"""Seconds that a leaving agent waits for its last batch: nobody else waits for it by then."""


class Publishing:
    """The batches of one agent."""

    heartbeat: ClassVar = HEARTBEAT.total_seconds()
    """Seconds from which on a batch is due though nothing has changed."""

    def __init__(self, settings: Settings, label: str, say: Callable[[str], None]) -> None:
        self._label = label
        self._path, self._environ, self._say = settings.state_path, dict(settings.state_network), say
        self._host = socket.gethostname()
        self._name = f"{FOLDER}/{self._host.replace('/', '_')}-{os.urandom(4).hex()}"
        self._here = {
            "schema": SCHEMA,
            "host": self._host,
            "boot": boot(),
            "numbers": numbers(),
            "agent": os.getpid(),
            "agent_started": started_at(os.getpid()) or 0,
        }
        self._pid = 0
        self._order = -1
        self._is_there = False
        self._uses: list[dict[str, Any]] = []
        self.begun_at = 0.0
        self.trouble = ""
        self.unclear: list[str] = []
        """What dead agents of this host left that nobody understands, as the last batch found it."""

    @property
    def is_under_way(self) -> bool:
        """A batch has begun and has not been seen to end."""
        return bool(self._pid)

    @property
    def _is_afar(self) -> bool:
        """In an object store, whose libraries are installed packages."""
        return "://" in (self._path or "")

    @property
    def pause(self) -> float:
        """Seconds until it is worth looking whether it has ended."""
        return 0.05 if time.monotonic() - self.begun_at < 1.0 else 1.0

    def begin(self, table: ReaderTable, now: float) -> None:
        """Have all that the table knows written."""
        table.has_changed = False
        written = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        document = {
            **self._here,
            "written": written,
            "left_out": table.left_out,
            "readers": table.entries(),
        }
        self._uses = table.uses.due(now)
        order = {
            "path": self._path,
            "environ": self._environ,
            "name": self._name,
            "is_there": self._is_there,
            "document": document,
            "uses": self._uses,
        }
        self.begun_at = now
        try:
            self._start(json.dumps(order).encode())
        except OSError as wrong:
            table.uses.again(self._uses)
            self._tell(f"the process that publishes readers cannot be started: {wrong.strerror}")
            return
        self._is_there = bool(document["readers"])

    def see_to_it(self, table: ReaderTable, now: float) -> bool:
        """Whether the batch is over; what it took over is known afterwards. One that is late is killed."""
        try:
            gone, _ = os.waitpid(self._pid, os.WNOHANG)
        except ChildProcessError:
            gone = self._pid
        if not gone:
            if now - self.begun_at > DEADLINE:
                self._tell(self._why_dead())
                self._kill()
            return False
        self._pid = 0
        self._hear(table)
        return True

    def last_words(self, table: ReaderTable) -> None:
        """One more batch, for which a leaving agent waits a moment."""
        end = time.monotonic() + (LAST_WORDS_AFAR if self._is_afar else LAST_WORDS)
        while self.is_under_way and time.monotonic() < end:
            self.see_to_it(table, time.monotonic())
            time.sleep(0.005)
        if not self.is_under_way:
            self.begin(table, time.monotonic())
        while self.is_under_way and time.monotonic() < end:
            self.see_to_it(table, time.monotonic())
            time.sleep(0.005)
        if self.is_under_way:
            self._kill()

    def _start(self, packed: bytes) -> None:
        self._order = os.memfd_create("readers")
        try:
            os.write(self._order, packed)
            os.lseek(self._order, 0, os.SEEK_SET)
            plain = () if self._is_afar else ("-S", "-s")
            self._pid = os.posix_spawn(
                sys.executable,
                [sys.executable, *plain, LAUNCH, "publish", self._label],
                kept_environment(),
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, self._order, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setpgroup=0,
            )
        except OSError:
            os.close(self._order)
            raise

    def _hear(self, table: ReaderTable) -> None:
        try:
            os.lseek(self._order, 0, os.SEEK_SET)
            with os.fdopen(self._order, "rb") as file:
                answer: dict[str, Any] = json.loads(file.read().rpartition(b"\n")[0].rpartition(b"\n")[2])
            taken, left_out, trouble = answer["taken"], answer["left_out"], answer["trouble"]
            self.unclear = answer["unclear"]
        except (OSError, ValueError, KeyError):
            taken, left_out, trouble = [], 0, None
        if trouble is None:  # not a word, or not the last one
            trouble = self._why_dead()
        had_changed = table.has_changed
        table.take_over(taken, left_out)
        self._is_there |= bool(taken)
        if trouble:
            table.uses.again(self._uses)
        else:
            table.has_changed = had_changed  # who was taken over is in the document already
        self._tell(trouble)

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def _why_dead(self) -> str:
        if time.monotonic() - self.begun_at > DEADLINE:
            return f"{self._path!r} has not answered for {DEADLINE:g} s: readers are not published"
        return f"readers are not published in {self._path!r}: the process that does it died"

    def _tell(self, trouble: str) -> None:
        """Once for each trouble, into the agent's log."""
        if trouble != self.trouble:
            self.trouble = trouble
            self._say(f"readers: {trouble}" if trouble else "readers: published again")
