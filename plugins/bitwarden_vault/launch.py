"""The file that an agent and its processes are started with: `python launch.py agent|worker|publish …`.

Rules this file keeps:
- It runs the package that lies around it, whatever else of that name is on the path, and puts no folder of
  ours on the path, where a plugin's `json.py` would shadow the standard one.
- An agent belongs to nobody: own session, no child of the task that started it, none of its descriptors.
- Who waits for the first value waits for imports: until they are over, no garbage is looked for. Before
  Python 3.12 a sixth of them is `inspect`, which `dataclasses` asks for classes without a docstring only.
"""

from __future__ import annotations

import gc
import os
import sys
from types import ModuleType


def main() -> None:
    """Become what the first argument says."""
    gc.disable()
    _find_package()
    if sys.version_info < (3, 12):
        sys.modules["inspect"] = _Later("inspect")
    if sys.argv[1] == "agent":
        from bitwarden_vault.environment import LISTENER  # noqa: PLC0415 - found only now

        _detach(LISTENER)
        from bitwarden_vault.worker_process import FirstWorker  # noqa: PLC0415 - found only now

        first = FirstWorker(sys.argv[2])
        packed = _handed_over()
        first.tell_where(packed)
        from bitwarden_vault.agent.agent import main as be_agent  # noqa: PLC0415 - meanwhile that one makes its client

        gc.enable()
        be_agent(LISTENER, first, packed)
    elif sys.argv[1] == "publish":
        from bitwarden_vault.readers.publish import main as publish  # noqa: PLC0415 - found only now

        gc.enable()
        publish()
    else:
        from bitwarden_vault.agent.worker import main as be_worker  # noqa: PLC0415 - found only now

        gc.enable()
        be_worker(int(sys.argv[2]))


class _Later(ModuleType):
    """In place of a module that is imported once something of it is asked for."""

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(__import__(self.__name__), name)


def _find_package() -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - the start of every process
    sys.path[:] = [folder for folder in sys.path if folder != here]
    package = type(sys)("bitwarden_vault")
    package.__path__ = [here]
    sys.modules["bitwarden_vault"] = package


def _detach(listener: int) -> None:
    if os.fork():
        os._exit(0)
    os.set_inheritable(listener, False)  # noqa: FBT003 - positional only; a worker must not keep it open
    os.chdir("/")
    os.umask(0o077)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - the start of every process
        if int(name) > listener:
            try:  # noqa: SIM105 - contextlib costs import time
                os.close(int(name))
            except OSError:
                pass  # the listing's own descriptor


def _handed_over() -> bytes:
    with os.fdopen(0, "rb") as pipe:
        packed = pipe.read()
    os.open(os.devnull, os.O_RDONLY)  # takes the number 0, so that nothing else gets it
    return packed


if __name__ == "__main__":
    main()
