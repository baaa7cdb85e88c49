"""A process of ours that cannot outlive us: started and ended through a keeper (`sandbox.keeper`)."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_KEEPER = Path(__file__).with_name("keeper.py")
_TAIL = 40


class DidNotStart(Exception):
    """A part of the sandbox did not come up; the text ends with the last lines of its log."""


class Kept:
    """One running command, from construction to `stop()`, which may be called again at any time."""

    def __init__(  # noqa: PLR0913 - each is one way in which commands differ
        self,
        command: Sequence[str | Path],
        *,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signal: str = "SIGTERM",
        grace: float = 10.0,
        remove: Path | None = None,
        hold: int | None = None,
    ) -> None:
        """Start it; `remove` is a folder that goes when it ends, `hold` a lock that is kept until then."""
        self.log, self._grace = log, grace
        self._began_at = log.stat().st_size if log is not None and log.exists() else 0
        options = ["--stop-signal", stop_signal, "--grace", str(grace)]
        for name, value in (("--log", log), ("--user", user), ("--remove", remove)):
            options += [name, str(value)] if value is not None else []
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", _KEEPER, *options, "--", *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
            pass_fds=() if hold is None else (hold,),
        )
        try:
            self.pid = self._first_words()
        except BaseException:
            self.stop()
            raise

    @property
    def keeper_pid(self) -> int:
        """The process that ends the command."""
        return self._keeper.pid

    def _first_words(self) -> int:
        assert self._keeper.stdout is not None
        said = self._keeper.stdout.readline()
        if not said:
            raise DidNotStart(f"its keeper ended at once\n{self.tail()}")
        return int(said)

    def has_ended(self) -> bool:
        """The command left by itself, or was stopped."""
        return self._keeper.poll() is not None

    def wait(self, within: float) -> int:
        """The exit code of a command that is expected to end."""
        return self._keeper.wait(within)

    def stop(self) -> None:
        """End the command and all it started; nothing of it runs once this returns."""
        self.release()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._keeper.wait(self._grace + 35)
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()

    def release(self) -> None:
        """Begin to end it, and do not wait."""
        if self._keeper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._keeper.stdin.close()

    def said(self) -> str:
        """All of its log since it was started."""
        if self.log is None or not self.log.exists():
            return ""
        return self.log.read_bytes()[self._began_at :].decode(errors="replace")

    def tail(self, lines: int = _TAIL) -> str:
        """The last lines of its log."""
        if self.log is None or not self.log.exists():
            return "(it wrote no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def wait_until(ready: object, what: str, *, within: float, kept: Sequence[Kept] = ()) -> None:
    """Call `ready` until it is true; raise `DidNotStart` at the deadline or when one of `kept` has ended."""
    assert callable(ready)
    until = time.monotonic() + within
    while not ready():
        for one in kept:
            if one.has_ended():
                raise DidNotStart(f"{what} ended while it was starting. Its log ends:\n{one.tail()}")
        if time.monotonic() > until:
            tails = "\n".join(one.tail() for one in kept)
            raise DidNotStart(f"{what} was not ready after {within:.0f} s. Its log ends:\n{tails}")
        time.sleep(0.05)
