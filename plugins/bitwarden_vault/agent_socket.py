"""Where an agent's socket lies, and who may stand at its other end.

Rules this file keeps:
- The directory is ours alone (0700, owner checked without following links); uids are never looked up by name.
- The name is a digest of what makes two agents different; the token is too random to be found from it.
- A path longer than 107 bytes cannot be bound: that is said, not tried.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct

from bitwarden_vault.errors import AgentUnavailable, Misconfigured
from bitwarden_vault.settings import Settings
from bitwarden_vault.wire import PROTOCOL

LONGEST = 107
_CREDENTIALS = struct.Struct("3i")


def socket_path(settings: Settings) -> str:
    """The path of this configuration's socket; its directory is there afterwards.

    Raises: Misconfigured, AgentUnavailable (no private directory to be had).
    """
    path = f"{_directory(settings.socket_dir)}/{_name(settings)}.sock"
    if len(os.fsencode(path)) + len(".new") > LONGEST:
        raise Misconfigured(
            f"BITWARDEN_SOCKET_DIR is too long for a unix socket: {path!r} must stay below {LONGEST} bytes",
        )
    return path


def peer_uid(sock: socket.socket) -> int:
    """The uid of the process at the other end, as the kernel knows it."""
    return peer(sock)[1]


def peer(sock: socket.socket) -> tuple[int, int]:
    """Its pid (of when it connected) and its uid."""
    packed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(packed)
    return pid, uid


def _name(settings: Settings) -> str:
    parts = (
        str(PROTOCOL),
        settings.api_url,
        settings.identity_url,
        settings.organization_id,
        settings.token.identity,
        settings.state_dir or "",
        settings.python or "",
        *(f"{name}={text}" for name, text in settings.network),
        *((f"next {settings.next_token.identity}",) if settings.next_token else ()),
        *((f"readers {settings.state_path}",) if settings.is_state_path_chosen else ()),
        *((f"audit {settings.audit}",) if settings.audit_path else ()),  # or the first to come decides
    )
    import hashlib  # noqa: PLC0415 - an agent knows its path, and the first lookup waits for imports

    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _directory(configured: str | None) -> str:
    if configured is not None:
        wrong = make_private(configured)
        if wrong:
            raise Misconfigured(f"BITWARDEN_SOCKET_DIR {configured!r}: {wrong}")
        return configured
    reasons = []
    for parent in ("/tmp", "/dev/shm"):  # noqa: S108 - owner and mode of our directory in it are checked
        directory = f"{parent}/bwv-{os.geteuid()}"
        wrong = make_private(directory)
        if not wrong:
            return directory
        reasons.append(f"{directory}: {wrong}")
    raise AgentUnavailable("no place for the agent's socket; set BITWARDEN_SOCKET_DIR. " + "; ".join(reasons))


def make_private(directory: str) -> str | None:
    """Make the directory if it is missing; what is wrong with it otherwise."""
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory, 0o700)  # noqa: PTH102 - pathlib costs import time in every task
        found = os.lstat(directory)
    except OSError as wrong:
        return f"cannot be used ({wrong.strerror})"
    if not stat.S_ISDIR(found.st_mode):
        return "is not a directory"
    if found.st_uid != os.geteuid():
        return f"belongs to uid {found.st_uid}, not to us ({os.geteuid()})"
    if stat.S_IMODE(found.st_mode) & 0o077:
        return "is open to others: chmod 700 it"
    return None
