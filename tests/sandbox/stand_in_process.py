"""What the stand-ins that speak plain HTTP have in common: a process, a port, and one address to control it.

The server is `python -m sandbox.<name> DIRECTORY`. It writes its port to the file `port` there, and is told
in its environment what only its starter may know.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.kept import Kept, wait_until
from sandbox.places import TESTS

if TYPE_CHECKING:
    from typing_extensions import Self

_READY_WITHIN = 60.0
_CONTROL_WITHIN = 10.0


class StandInProcess:
    """One server, on a port of its own."""

    name: str
    """Of its package; its environment variable and its log are called after it."""
    environ: ClassVar[Mapping[str, str]] = {}
    """What else it is started with."""

    def __init__(self, directory: Path, *, hold: int | None = None) -> None:
        """Nothing runs before `start()`."""
        self._directory, self._hold = directory, hold
        self._kept: Kept | None = None
        self._port = 0
        self._control_path = f"/control/{secrets.token_urlsafe(16)}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once clients can connect; it begins empty."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        port_file = self._directory / "port"
        port_file.unlink(missing_ok=True)
        told = json.dumps({"control_path": self._control_path, **self._told()})
        self._kept = Kept(
            [sys.executable, "-m", f"sandbox.{self.name}", self._directory],
            log=self._directory / f"{self.name}.log",
            env={
                "PATH": os.defpath,
                "PYTHONPATH": str(TESTS),
                f"{self.name.upper()}_SANDBOX": told,
                **self.environ,
            },
            grace=1.0,
            hold=self._hold,
        )
        try:
            wait_until(port_file.exists, self.name, within=_READY_WITHIN, kept=(self._kept,))
            self._port = int(port_file.read_text())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; again is fine."""
        if self._kept is not None:
            self._kept.stop()
            self._kept = None

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._kept is not None, f"{self.name} is not running"
        return self._kept.pid

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self._port}"

    def _told(self) -> Mapping[str, str]:
        """What the server has to know, beside the address to control it."""
        return {}

    def _control(self, wish: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
        """Say something to the server past what clients see; its answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{self._control_path}",
            data=json.dumps(wish).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=_CONTROL_WITHIN) as answer:
            return json.load(answer)
