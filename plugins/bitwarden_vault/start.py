"""Bring up an agent where there is none: by whoever first needs it, once, however many need it at once.

Rules this file keeps:
- The socket is bound and listening before the agent runs: others connect at once and queue.
- Only whoever holds the lock binds; the kernel frees it with its holder, and waiting for it has a limit.
- The token goes through a pipe; arguments and environment of a process can be read by others.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator

from bitwarden_vault.build import build
from bitwarden_vault.environment import LAUNCH, LISTENER, kept_environment
from bitwarden_vault.errors import AgentUnavailable, Misconfigured
from bitwarden_vault.handover import Handover, pack_handover
from bitwarden_vault.login_state import open_login_state
from bitwarden_vault.settings import Settings

_BACKLOG = 4096
_HIGH = 10
"""Descriptors from here on do not collide with those that the agent is given as 0 to 3."""
_PIPE = 65_536


def start(settings: Settings, path: str) -> bool:
    """Start an agent behind this path unless somebody else is at it; whether it was us.

    Raises: Misconfigured, AgentUnavailable.
    """
    _check(settings)
    with start_lock(path) as is_ours:
        if not is_ours or is_served(path):
            return False
        with listen(path) as listener:
            try:
                pid = _spawn(settings, path, listener)
            except BaseException:
                os.unlink(path)  # noqa: PTH108 - as everywhere in this package
                raise
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)  # it forks the agent and ends, so that no zombie is left to the task
    return True


def listen(path: str) -> socket.socket:
    """A listening socket that appears under its name at once and complete; the lock must be held."""
    fresh = f"{path}.new"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)  # noqa: PTH108 - left by a starter that was killed
        listener.bind(fresh)
        os.chmod(fresh, 0o600)  # noqa: PTH101 - as everywhere in this package
        listener.listen(_BACKLOG)
        os.rename(fresh, path)  # noqa: PTH104 - as everywhere in this package
    except OSError as wrong:
        listener.close()
        raise AgentUnavailable(f"the agent's socket {path!r} cannot be made: {wrong.strerror}") from None
    return listener


@contextlib.contextmanager
def start_lock(path: str) -> Iterator[bool]:
    """Whether the lock is ours. Freed by hand: a process forked meanwhile would keep it open."""
    try:
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as wrong:
        raise AgentUnavailable(f"the lock {path}.lock cannot be used: {wrong.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def is_served(path: str) -> bool:
    """Somebody started one between our look and our lock."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            return True  # too many at once: served, and how
        return True


def _check(settings: Settings) -> None:
    """What would make the agent end at once is said here, where somebody listens."""
    if settings.state_dir is not None:
        for token in settings.tokens:
            open_login_state(settings.state_dir, token.client_id)
    if settings.audit_key_file is not None:
        from bitwarden_vault.audit.line import read_key  # noqa: PLC0415 - few have one, and a lookup waits

        read_key(settings.audit_key_file)
    if not (settings.python or sys.executable):
        raise Misconfigured("this process does not know its interpreter: set BITWARDEN_PYTHON")


def _spawn(settings: Settings, path: str, listener: socket.socket) -> int:
    packed = pack_handover(Handover(settings, path, build()))
    if len(packed) > _PIPE:
        raise Misconfigured("the settings are too long: is it NO_PROXY?")
    read, write = os.pipe()
    descriptors = [read, write]
    try:
        os.write(write, packed)
        descriptors.append(fcntl.fcntl(read, fcntl.F_DUPFD_CLOEXEC, _HIGH))
        descriptors.append(fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, _HIGH))
        return _run(settings.python or sys.executable, path, descriptors[2], descriptors[3])
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _run(python: str, path: str, handover: int, listener: int) -> int:
    log = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        return os.posix_spawnp(
            python,
            [python, "-S", "-s", LAUNCH, "agent", path],
            kept_environment(),
            file_actions=[
                (os.POSIX_SPAWN_DUP2, handover, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, f"{path}.log", log, 0o600),
                (os.POSIX_SPAWN_DUP2, listener, LISTENER),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
        )
    except OSError as wrong:
        raise Misconfigured(
            f"the interpreter {python!r} cannot be run ({wrong.strerror}): BITWARDEN_PYTHON?"
        ) from None
