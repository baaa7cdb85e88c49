"""Processes that rotate beside each other; one of them may be put to sleep in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil

from credential_rotation.outcome import OutcomeDict
from scenes.rivals.driver import OUTCOME

_PATIENCE = 40.0


@dataclass(frozen=True)
class Rival:
    """A process that rotates, or sleeps in the middle of it."""

    pid: int
    said: Path

    def wait_until_it_sleeps(self) -> None:
        """As the system sees it."""
        self._wait(lambda: self._status() == psutil.STATUS_STOPPED or self._is_over)
        assert not self._is_over, f"it never slept: {self._told()}"

    def wake(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def outcome(self) -> OutcomeDict:
        """How it ended."""
        self._wait(lambda: self._status() is None)
        last = self._told().splitlines()[-1]
        assert last.startswith(OUTCOME), self._told()
        outcome: OutcomeDict = json.loads(last.removeprefix(OUTCOME))
        return outcome

    def end(self) -> None:
        """Whatever it does; it may have ended long ago."""
        if self._status() is not None:
            os.kill(self.pid, signal.SIGKILL)

    @property
    def _is_over(self) -> bool:
        return f"\n{OUTCOME}" in self._told()

    def _status(self) -> str | None:
        try:
            return psutil.Process(self.pid).status()
        except psutil.NoSuchProcess:
            return None

    def _wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + _PATIENCE
        while not done():
            assert time.monotonic() < until, f"it does not get there: {self._told()}"
            time.sleep(0.02)

    def _told(self) -> str:
        return self.said.read_text() if self.said.exists() else ""


@dataclass
class Rivals:
    """Those of one test."""

    driver: subprocess.Popen[str]
    folder: Path
    _begun: list[Rival] = field(default_factory=list)

    def begin(
        self,
        name: str,
        environ: Mapping[str, str],
        *,
        asked: datetime | None = None,
        stop_at: str = "",
        sleeps: float = 0,
    ) -> Rival:
        """Rotate now, as asked for at a time; stop before a call, and be so many seconds older afterwards."""
        said = self.folder / f"said-{len(self._begun)}"
        case: dict[str, Any] = {"name": name, "environ": dict(environ), "said": str(said)}
        case |= {"stop_at": stop_at, "sleeps": sleeps}
        case["asked"] = (asked or datetime.now(timezone.utc)).isoformat()
        assert self.driver.stdin is not None
        assert self.driver.stdout is not None
        self.driver.stdin.write(json.dumps(case) + "\n")
        self.driver.stdin.flush()
        rival = Rival(int(self.driver.stdout.readline()), said)
        self._begun.append(rival)
        return rival

    def end(self) -> None:
        for one in self._begun:
            one.end()
