"""What of a task's environment the processes of ours get: enough to find the SDK, nobody's secrets."""

from __future__ import annotations

import os

KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "TMPDIR",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONUSERBASE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
)


def kept_environment() -> dict[str, str]:
    """This process's environment without all that is not in the list."""
    return {name: os.environ[name] for name in KEPT if name in os.environ}
