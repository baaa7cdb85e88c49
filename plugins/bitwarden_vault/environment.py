"""What processes of ours are started with: a file, and enough of a task's environment to find the SDK.

And what keeps values out of the memory that they are done with. Without it, half of those that ever passed
through an agent can be read there for as long as it lives.
"""

from __future__ import annotations

import os
import sys

LAUNCH = os.path.join(os.path.dirname(os.path.realpath(__file__)), "launch.py")  # noqa: PTH118, PTH120 - pathlib costs import time
"""The file that they run."""
LISTENER = 3
"""An agent's descriptor of its listening socket; 0 is what it is handed over, 2 its log."""
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
LEAVES_NOTHING = {
    "PYTHONMALLOC": "malloc",  # Python's own allocator leaves what it frees as it is
    "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0",  # its cache is not overwritten
    "LD_BIND_NOW": "1",  # else a function's first call leaves on the stack what registers last copied
}
"""What glibc and Python read at their start; elsewhere than on glibc it does nothing."""


def kept_environment() -> dict[str, str]:
    """This process's environment without all that is not in the list."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | LEAVES_NOTHING


def begin_again_if_need_be() -> None:
    """Become the same program, in the same process, that leaves nothing in memory."""
    if not LEAVES_NOTHING.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **LEAVES_NOTHING})  # noqa: S606 - there is no shell
