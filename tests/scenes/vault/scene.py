"""A machine account's place in the stand-in, asked through the real agent."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import Settings
from sandbox.bitwarden.sdk import Workplace
from sandbox.places import PLUGINS


def is_alive(pid: int) -> bool:
    """Runs, and is no zombie that nobody has reaped."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(true: Callable[[], bool], what: str, within: float = 5.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


@dataclass(frozen=True, slots=True)
class VaultScene:
    """An account that may write in one project, its settings and its agent."""

    workplace: Workplace
    settings: Settings
    environ: dict[str, str]
    directory: Path

    @property
    def client(self) -> VaultClient:
        """A client that knows nothing but the settings."""
        return VaultClient(self.settings)

    def client_with(self, **changes: Any) -> VaultClient:  # noqa: ANN401  # the fields of Settings
        """The same agent, asked with other limits."""
        return VaultClient(replace(self.settings, **changes))

    def put(self, key: str = "k", value: str = "v", note: str = "") -> str:
        """A secret that a person put there; its id."""
        return self.workplace.bitwarden.put_secret(
            project=self.workplace.project_name, key=key, value=value, note=note
        )

    def agent(self) -> int:
        """The agent's pid."""
        return int(str(self.client.status()["pid"]))

    def workers(self) -> list[int]:
        """The pids of the workers."""
        found: Any = self.client.status()["workers"]
        return [int(pid) for pid in found]

    def processes(self) -> set[int]:
        """Every live process that has to do with this scene."""
        found = set()
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal() and int(folder.name) != os.getpid():
                with contextlib.suppress(OSError):
                    if os.fsencode(self.directory) in (folder / "cmdline").read_bytes():
                        found.add(int(folder.name))
        return {pid for pid in found if is_alive(pid)}

    def logins(self) -> int:
        """Logins of anybody since the requests were cleared."""
        return sum(line.path == "/identity/connect/token" for line in self.workplace.bitwarden.requests())

    def run(self, code: str, count: int = 1) -> list[str]:
        """Run code in fresh processes at once; what each printed. `client` and `settings` are there."""
        started = [
            subprocess.Popen(
                [sys.executable, "-c", f"{_PRELUDE}\n{code}"],
                env={**self.environ, "PYTHONPATH": str(PLUGINS), "PATH": os.defpath},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(count)
        ]
        return [one.communicate(timeout=30)[0].strip() for one in started]


_PRELUDE = """
import os, signal, sys, time
from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
settings = read_settings(os.environ)
client = VaultClient(settings)
"""
