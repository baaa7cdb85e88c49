"""Beats in a thread of the calling process, and says for how long it could not."""

from __future__ import annotations

import threading
import time
from types import TracebackType

BEAT = 0.01


class Heart:
    """`longest` is the longest time between two beats; a process that somebody froze has a long one."""

    def __init__(self) -> None:
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._beat)
        self.longest = 0.0
        self.beats = 0

    def __enter__(self) -> Heart:  # noqa: PYI034 - typing.Self is 3.11
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._thread.join()

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._ends.wait(BEAT):
            now = time.monotonic()
            self.longest, self.beats, last = max(self.longest, now - last), self.beats + 1, now
