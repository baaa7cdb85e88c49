"""Where the SDK keeps its login: it holds the organisation key, so in memory unless told otherwise.

The SDK writes it in place and takes any path; `/proc/self/fd/<n>` of an inherited memory file is one.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass

from bitwarden_vault.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class LoginState:
    """A place for the login, as workers name it."""

    path: str
    pass_fds: tuple[int, ...]
    age: float | None
    """Seconds since a login on disk was written; None when there is none."""


def open_login_state(directory: str | None, token_id: str) -> LoginState:
    """The place for this token's login. Raises: Misconfigured."""
    if directory is None:
        fd = _memory_file()
        return LoginState(f"/proc/self/fd/{fd}", (fd,), None)
    path = f"{directory}/{token_id}.state"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as wrong:
        raise Misconfigured(f"BITWARDEN_STATE_DIR {directory!r} cannot be used: {wrong.strerror}") from None
    try:
        found = os.fstat(fd)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise Misconfigured(f"{path!r} must belong to us and be closed to others (chmod 600)")
        return LoginState(path, (), max(0.0, time.time() - found.st_mtime) if found.st_size else None)
    finally:
        os.close(fd)


def _memory_file() -> int:
    try:
        return os.memfd_create("login", os.MFD_CLOEXEC)
    except OSError:
        import tempfile  # noqa: PLC0415 - for old kernels only, and every start pays for imports

        fd, path = tempfile.mkstemp(dir="/dev/shm")  # 0600, unlinked at once, and in memory
        os.unlink(path)  # noqa: PTH108 - one idea with the line above
        return fd
