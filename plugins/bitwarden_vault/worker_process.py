"""Start a worker's process; an agent does so for its first one before it imports anything else.

Interpreter, SDK and its client take that process as long as all else takes the agent, and whoever waits for
the first value waits for both: so they come up side by side.
"""

from __future__ import annotations

import _socket
import os
import resource
import sys

from bitwarden_vault.environment import LAUNCH, kept_environment

MOST_SLOTS = 2
"""Logins that an agent may have to keep."""


class FirstWorker:
    """A process that waits to be told whose it is, and the memory that it was given for logins."""

    def __init__(self, label: str) -> None:
        self.memory = tuple(memory_file() for _ in range(MOST_SLOTS))
        self.pid, self.descriptor = begin_worker(label, self.memory)

    def tell_where(self, packed: bytes) -> None:
        """Where Bitwarden is and how it is reached, of a handover; all else follows when there is an agent.

        Raises: ValueError (the starter died while it wrote).
        """
        import json  # noqa: PLC0415 - while the worker's interpreter starts

        from bitwarden_vault.wire import pack  # noqa: PLC0415 - as above

        settings = json.loads(packed)["settings"]
        where = {name: settings[name] for name in ("api_url", "identity_url")}
        try:  # noqa: SIM105 - contextlib costs import time
            os.write(self.descriptor, pack({**where, "network": dict(settings["network"])}))
        except OSError:
            pass  # it has ended already: the agent's loop will see


def begin_worker(label: str, inherited: tuple[int, ...]) -> tuple[int, int]:
    """Its pid, and our end of the connection; `label` shows in the list of processes whose worker it is.

    Descriptors of Python close on exec; these are the exceptions, and the agent executes nothing else.
    """
    leave_no_core_file()
    ours, theirs = _socket.socketpair()  # `socket` takes longer to import than the interpreter to start
    try:
        for descriptor in (theirs.fileno(), *inherited):
            os.set_inheritable(descriptor, True)  # noqa: FBT003 - positional only
        quiet = [
            (os.POSIX_SPAWN_OPEN, number, os.devnull, flags, 0)
            for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY))
        ]
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, LAUNCH, "worker", str(theirs.fileno()), label],
            kept_environment(),
            file_actions=quiet,
            setpgroup=0,
        )
    finally:
        theirs.close()
    return pid, ours.detach()


def leave_no_core_file() -> None:
    """Neither this process nor those that it starts: it would hold the token.

    A limit of 0 leaves no file; a program that collects them is given one all the same, but for a limit of 1.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except ValueError:  # nobody raises what is 0 for good
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def memory_file() -> int:
    """A file that lies nowhere; processes that inherit it find it as `/proc/self/fd/<n>`."""
    try:
        return os.memfd_create("login", os.MFD_CLOEXEC)
    except OSError:
        import tempfile  # noqa: PLC0415 - for old kernels only, and every start pays for imports

        fd, path = tempfile.mkstemp(dir="/dev/shm")  # 0600, unlinked at once, and in memory
        os.unlink(path)  # noqa: PTH108 - one idea with the line above
        return fd
