"""Processes that read a secret through the real agent and live on, and the documents that tell of them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from bitwarden_vault.readers.document import Reader, read_document
from bitwarden_vault.settings import read_settings
from sandbox.places import PLUGINS
from scenes.vault.scene import VaultScene, until

PUBLISHED = 25.0
"""Seconds within which a change is to be seen: two batches, and a slow machine."""

_READ = """
import os, sys
from bitwarden_vault.client import VaultClient
from bitwarden_vault.nouns import Caller
from bitwarden_vault.settings import read_settings
client = VaultClient(read_settings(os.environ), Caller(**{caller!r}))
for line in sys.stdin:
    key, *projects = line.split()
    found = client.find_secret(key, projects)
    print("read" if found else "nothing", flush=True)
"""


def note(version: object) -> str:
    """A note as a rotation leaves it."""
    return f'Ask Kim.\n\n```bitwarden-vault\n{{"epoch": "{version}", "cache_seconds": "0"}}\n```'


def shared(vault: VaultScene, folder: Path, **environ: str) -> VaultScene:
    """The same account, whose agent publishes in this folder."""
    changed = {**vault.environ, "ROTATION_STATE_PATH": str(folder), **environ}
    return replace(vault, environ=changed, settings=read_settings(changed))


class Share(Protocol):
    """Makes such a scene."""

    def __call__(self, folder: Path, **environ: str) -> VaultScene:
        """One whose agent publishes in this folder."""


@dataclass
class ReadingProcess:
    """A process that reads when told, and keeps living."""

    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def read(self, key: str, *projects: str) -> None:
        """Have it read the secret with this key."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{' '.join((key, *projects))}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "read\n"

    def end(self) -> None:
        """It ends, and nobody is left of it."""
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate(timeout=10)


@contextlib.contextmanager
def reading_process(environ: dict[str, str], **caller: Any) -> Iterator[ReadingProcess]:  # noqa: ANN401 - the fields of Caller
    """One that claims to be this caller."""
    process = subprocess.Popen(
        [sys.executable, "-c", _READ.replace("{caller!r}", repr(caller))],
        env={**environ, "PYTHONPATH": str(PLUGINS), "PATH": os.defpath},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    reader = ReadingProcess(process)
    try:
        yield reader
    finally:
        reader.end()


def documents(folder: Path) -> list[Path]:
    """All that is published."""
    return sorted((folder / "readers").glob("*.json"))


def readers(folder: Path) -> list[Reader]:
    """Everybody that any document names."""
    found: list[Reader] = []
    for path in documents(folder):
        with contextlib.suppress(FileNotFoundError):
            document = read_document(json.loads(path.read_text()))
            assert document is not None, path
            found += document.readers
    return found


def until_read_by(folder: Path, pids: set[int]) -> list[Reader]:
    """Wait until exactly these processes are named."""
    until(lambda: {one.pid for one in readers(folder)} == pids, f"{pids} are named", within=PUBLISHED)
    return readers(folder)
