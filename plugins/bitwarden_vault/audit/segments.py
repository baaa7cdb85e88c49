"""The audit trail as an agent writes it: chained lines, in segments that are created once.

Rules this file keeps:
- A line gets its place in the chain when it is added, and reaches the disk later, in order and whole.
- What a full disk does not take is kept and tried again; only when too much is kept are lines given up, and
  how many is the next line.
- What waits for a disk belongs into its own segment, however late, and that one is held until then; a full
  segment for which nothing waits gets no line more.
- The checkpoint follows the disk: it names no line that a power cut could still take away.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from bitwarden_vault.audit.line import GENESIS, Seal, sealed
from bitwarden_vault.audit.places import (
    CHECKPOINT,
    create,
    hold,
    new_agent_name,
    release,
    replace,
    segment_name,
)

FORMAT = 1
MOST_LINES = 10_000
MOST_SECONDS = 3600.0
"""Of one segment; then a new one is begun."""
MOST_PENDING = 8_000_000
"""Bytes kept in memory for a disk that takes none."""


def utc_now() -> str:
    """To the millisecond."""
    now = time.time()
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03}Z"


class Segments:
    """One agent's chain."""

    def __init__(self, directory: str, checkpoints: str, seal: Seal) -> None:
        self.agent = new_agent_name()
        self.trouble = ""
        """Why lines are not on the disk; empty when all is well."""
        self.lost = 0
        self.sequence, self._digest, self._checkpoint = 0, GENESIS, -1
        self._directory, self._checkpoints, self._seal = directory, checkpoints, seal
        self._number = self._lines = 0
        self._begun_at = 0.0
        self._file: int | None = None
        self._pending = bytearray()
        self._untold = 0

    @property
    def path(self) -> str:
        """The segment that is being written."""
        return f"{self._directory}/{segment_name(self.agent, self._number)}"

    @property
    def is_behind(self) -> bool:
        """There is something that disk or checkpoint do not have yet."""
        return bool(self._pending) or self._checkpoint < self.sequence

    def add(self, fields: Mapping[str, Any]) -> None:
        """A line of this moment, in memory as yet."""
        if len(self._pending) > MOST_PENDING:
            self.lost += 1
            self._untold += 1
            return
        if self._number == 0 or (self._is_full() and (not self._pending or self.write())):
            self._begin()
        if self._untold:
            untold, self._untold = self._untold, 0
            self._seal_in({"at": utc_now(), "operation": "lost", "lines": untold})
        self._seal_in({"at": utc_now(), **fields})

    def write(self) -> bool:
        """Bring all that was added to the disk; False where it does not take it."""
        try:
            if self._file is None:
                self._file = self._create()
            while self._pending:
                written = os.write(self._file, self._pending)
                del self._pending[:written]
            os.fdatasync(self._file)
        except OSError as wrong:
            self.trouble = f"{self._directory!r} cannot be written to: {wrong.strerror}"
            if self._file is not None:
                hold(self._file)
            return False
        if self.trouble:
            release(self._file)
        self.trouble = ""
        return True

    def settle(self, *, ended: bool = False) -> bool:
        """All to the disk, and the checkpoint after it."""
        if not self.write():
            return False
        try:
            self._settle(self.sequence, self._digest, ended=ended)
        except OSError as wrong:
            self.trouble = f"the checkpoint in {self._checkpoints!r} cannot be written: {wrong.strerror}"
            return False
        return True

    def end(self) -> None:
        """The last line says that it is the last."""
        if self._number:
            self.add({"operation": "end"})
            self.settle(ended=True)

    def _create(self) -> int:
        if self._checkpoint < 0:  # before the first segment, so that every segment has one
            self._settle(0, GENESIS, ended=False)
        return create(self._directory, segment_name(self.agent, self._number))

    def _is_full(self) -> bool:
        return self._lines >= MOST_LINES or time.monotonic() - self._begun_at > MOST_SECONDS

    def _begin(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        previous = segment_name(self.agent, self._number) if self._number else ""
        self._number, self._lines, self._begun_at = self._number + 1, 0, time.monotonic()
        self._seal_in(
            {
                "at": utc_now(),
                "operation": "segment",
                "format": FORMAT,
                "agent": self.agent,
                "number": self._number,
                "previous": previous,
                "pid": os.getpid(),
                "uid": os.geteuid(),
                "chain": self._seal.chain,
                "key": self._seal.key_id,
            }
        )

    def _seal_in(self, fields: Mapping[str, Any]) -> None:
        line, self._digest = sealed(self._seal, self.sequence + 1, self._digest, fields)
        self.sequence += 1
        self._lines += 1
        self._pending += line

    def _settle(self, sequence: int, digest: str, *, ended: bool) -> None:
        fields = {
            "at": utc_now(),
            "agent": self.agent,
            "number": self._number,
            "ended": ended,
            "chain": self._seal.chain,
            "key": self._seal.key_id,
        }
        line, _ = sealed(self._seal, sequence, digest, fields)
        replace(self._checkpoints, f"{self.agent}{CHECKPOINT}", line)
        self._checkpoint = sequence
