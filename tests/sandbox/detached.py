"""A sandbox that goes on when the command that started it has returned: `make up`, until `make down`.

A process of its own, the holder, has it in a `with` statement, and ends when told so by SIGTERM. `up.json`
says which process that is, and, once all is up, what the holder wants known.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO, NoReturn

import psutil

from sandbox.directory_lock import AlreadyRunning, is_free
from sandbox.kept import DidNotStart

_END_WITHIN = 60.0
_SAME_START = 5.0  # a clock that was set moves the start time that is derived from it


def launch(directory: Path, command: Sequence[str | Path]) -> dict[str, Any]:
    """Start a holder, show what it prints, and return what it announced."""
    if there := running(directory):
        raise AlreadyRunning(f"it is up already: process {there['pid']} holds {directory}")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = directory / "up.log"
    with log.open("wb") as out:
        holder = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    _write(directory, {"pid": holder.pid, "started": psutil.Process(holder.pid).create_time()})
    try:
        with log.open("rb") as said:
            announced = _follow(directory, holder, said)
    except BaseException:
        end(directory)
        raise
    holder.returncode = 0  # it goes on; this object must not complain that it does
    return announced


def announce(directory: Path, known: Mapping[str, Any]) -> None:
    """Called by the holder: all is up, and this is how to reach it."""
    _write(directory, {"pid": os.getpid(), "started": psutil.Process().create_time(), **known, "up": True})


def leave_when_told() -> None:
    """Called first by the holder: SIGTERM unwinds its `with` statements instead of cutting it off."""
    signal.signal(signal.SIGTERM, _leave)


def hold() -> NoReturn:
    """Called last by the holder: stay until told to leave."""
    while True:
        signal.pause()


def running(directory: Path) -> dict[str, Any] | None:
    """What the holder announced, while it lives."""
    state = _read(directory)
    return state if state is not None and _holder(state) is not None else None


def end(directory: Path) -> bool:
    """End the holder and wait until nothing of it is left; False when there was none."""
    state = _read(directory)
    holder = _holder(state) if state else None
    if holder is not None:
        holder.terminate()
        try:
            holder.wait(_END_WITHIN)
        except psutil.TimeoutExpired:
            holder.kill()  # its keepers see that, and end what is left
        _wait_until_free(directory)
    (directory / "up.json").unlink(missing_ok=True)
    return holder is not None


def _follow(directory: Path, holder: "subprocess.Popen[bytes]", said: BinaryIO) -> dict[str, Any]:
    while True:
        code, state = holder.poll(), _read(directory)
        sys.stdout.write(said.read().decode(errors="replace"))
        sys.stdout.flush()
        if state is not None and state.get("up"):
            return state
        if code is not None:
            raise DidNotStart(f"it ended with exit code {code}; what it printed is above and in {said.name}")
        time.sleep(0.1)


def _wait_until_free(directory: Path) -> None:
    until = time.monotonic() + _END_WITHIN
    while not is_free(directory):
        if time.monotonic() > until:
            raise AlreadyRunning(f"the holder ended, but {directory} is still in use")
        time.sleep(0.1)


def _holder(state: Mapping[str, Any]) -> psutil.Process | None:
    """The process that the file means, not one that got its number later."""
    try:
        found = psutil.Process(state["pid"])
        same = abs(found.create_time() - state["started"]) < _SAME_START
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _read(directory: Path) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads((directory / "up.json").read_text())
    except FileNotFoundError:
        return None
    return state


def _write(directory: Path, state: Mapping[str, Any]) -> None:
    new = directory / "up.json.new"
    new.touch(mode=0o600)
    new.write_text(json.dumps(state, indent=2))
    new.rename(directory / "up.json")


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
