"""Where the SDK keeps its login: it holds the organisation key, so in memory unless told otherwise.

The SDK writes it in place and takes any path; `/proc/self/fd/<n>` of an inherited memory file is one.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass

from bitwarden_vault.errors import Misconfigured
from bitwarden_vault.worker_process import memory_file


@dataclass(frozen=True, slots=True)
class LoginState:
    """A place for the login, as workers name it."""

    path: str
    pass_fds: tuple[int, ...]
    age: float | None
    """Seconds since a login on disk was written; None when there is none."""


def open_login_state(directory: str | None, token_id: str, memory: int | None = None) -> LoginState:
    """The place for this token's login, `memory` where it may be in one. Raises: Misconfigured."""
    if directory is None:
        fd = memory_file() if memory is None else memory
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
