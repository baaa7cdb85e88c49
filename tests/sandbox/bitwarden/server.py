"""The server process, seen from the side that started it.

It inherits nothing that could leak (a bare environment) and ends when its stdin does: on `stop()`, and just
the same when the starter was killed. Ctrl-C reaches the starter alone.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from sandbox.places import TESTS

_ANSWER_WITHIN = 30.0
_LEAVE_WITHIN = 5.0
_TAIL = 30


class StandInFailed(Exception):
    """The server refused a wish, or is gone; then the text ends with its last words."""


class Server:
    """One running server; `ask` is its control channel."""

    def __init__(self, organization_id: str, certificate_file: Path, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()
        with _private(log) as errors:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "sandbox.bitwarden", organization_id, str(certificate_file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={"PYTHONPATH": str(TESTS), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,
            )
        try:
            self.port = int(self._hear()["port"])
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The process that holds the ciphertext."""
        return self._child.pid

    def ask(self, wish: str, **arguments: Any) -> Any:  # noqa: ANN401  # whatever JSON the wish takes and gives
        """Have the server do something and return its answer."""
        line = json.dumps({"do": wish, "with": arguments}).encode() + b"\n"
        with self._lock:
            self._say(line)
            heard = self._hear()
        if "error" in heard:
            raise StandInFailed(f"{wish}: {heard['error']}")
        return heard["ok"]

    def stop(self) -> None:
        """End the server; again is fine."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._child.wait(_LEAVE_WITHIN)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _say(self, line: bytes) -> None:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(line)
            self._child.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise StandInFailed(f"the server is gone\n{self._last_words()}") from None

    def _hear(self) -> dict[str, Any]:
        """One line; every line answers one wish, so nothing of the next can sit in the buffer."""
        stdout = self._child.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], _ANSWER_WITHIN)
        line = stdout.readline() if ready else b""
        if not line:
            said = "ended" if ready else f"said nothing for {_ANSWER_WITHIN:.0f} s"
            raise StandInFailed(f"the server {said}\n{self._last_words()}")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_TAIL:])


def _private(log: Path) -> Any:  # noqa: ANN401  # a binary file
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
