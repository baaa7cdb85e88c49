"""Runs one command, and ends it and all that descends from it once whoever asked for it is gone.

`python -I keeper.py OPTIONS… -- COMMAND…`, started by `sandbox.kept`, which holds the other end of stdin.

1. End of stdin means "end it", whether it was closed on purpose or by a kill -9 of its holder.
2. The command gets its stop signal and a grace; then everything that descends from it is killed, whatever
   session or process group it moved to: a daemon that left its parent is adopted by the keeper (Linux).
3. The command leaving by itself is followed by the same sweep; its exit code is the keeper's.
4. Folders named to be removed go last, once nobody is left who could write to them.
"""

import argparse
import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_LOOK_EVERY = 0.1
_REMOVE_WITHIN = 30.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path)
    parser.add_argument("--user")
    parser.add_argument("--stop-signal", default="SIGTERM")
    parser.add_argument("--grace", type=float, default=10.0)
    parser.add_argument("--remove", type=Path)
    parser.add_argument("command", nargs="*")
    return parser.parse_args()


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _start(wanted: argparse.Namespace) -> int:
    out = wanted.log.open("ab") if wanted.log else subprocess.DEVNULL
    user = wanted.user
    child = subprocess.Popen(
        wanted.command,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        start_new_session=True,
        user=user,
        group=_group_of(user) if user else None,
        extra_groups=[] if user else None,
    )
    child.returncode = 0  # from here on the keeper reaps, not this object
    return child.pid


def _group_of(user: str) -> int:
    import pwd  # noqa: PLC0415 - POSIX only, and asked for only when started by root

    return pwd.getpwnam(user).pw_gid


def _reap(pid: int) -> int | None:
    """Collect whoever has ended; the exit code of `pid` once it is among them."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while True:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended == 0:
                break
            if ended == pid:
                code = os.waitstatus_to_exitcode(status)
    return code


def _stdin_is_closed(within: float) -> bool:
    ready, _, _ = select.select([0], [], [], within)
    return bool(ready) and not os.read(0, 4096)


def _keep(pid: int) -> int | None:
    """Wait until the command leaves (its exit code) or is to be ended (None)."""
    while (code := _reap(pid)) is None:
        if _stdin_is_closed(_LOOK_EVERY):
            return None
    return code


def _ask_to_leave(pid: int, stop_signal: int, grace: float) -> int | None:
    until = time.monotonic() + grace
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, stop_signal)
    while (code := _reap(pid)) is None and time.monotonic() < until:
        time.sleep(0.02)
    return code


def _sweep() -> None:
    """Kill what is left, again and again: killing a parent hands its children to us."""
    while left := psutil.Process().children(recursive=True):
        for one in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        time.sleep(0.02)
        _reap(0)


def _remove(folder: Path) -> None:
    until = time.monotonic() + _REMOVE_WITHIN
    while folder.exists() and time.monotonic() < until:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)


def main() -> int:
    """Keep the command; the exit code is its own, or 0 when it was ended as asked."""
    wanted = _arguments()
    _adopt_orphans()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _leave)
    try:
        pid = _start(wanted) if wanted.command else 0
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        code = _keep(pid)
        if code is None and pid:
            _ask_to_leave(pid, signal.Signals[wanted.stop_signal], wanted.grace)
    finally:
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.SIG_IGN)
        _sweep()
        if wanted.remove:
            _remove(wanted.remove)
    return 0 if code is None else code & 0xFF


if __name__ == "__main__":
    sys.exit(main())
