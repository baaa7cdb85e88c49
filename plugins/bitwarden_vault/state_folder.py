"""What is no secret and what hosts share: a folder of JSON documents, on a disk or in an object store.

Rules this file keeps:
- A document is replaced whole, never added to: object stores cannot append, and a reader never sees a half.
- A document that is not there, or is no JSON object, is None: losing this folder costs history, nothing else.
- Several users write there, agents and tasks, and none is trusted with more than what is in it.
- An object store's libraries are imported only where the path is an address; the agent has none of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from bitwarden_vault import shared_disk
from bitwarden_vault.state_settings import PATH, default_path

ENDING = ".json"


def _finite(text: str) -> float:
    """No JSON of ours has infinity in it. Raises: ValueError."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


class StateUnavailable(Exception):
    """The folder cannot be reached, read or written."""


def state_folder(environ: Mapping[str, str]) -> StateFolder:
    """The folder that this environment names, or `credential_rotation_state` in Airflow's home."""
    return StateFolder(environ.get(PATH, "").strip() or default_path(environ))


class StateFolder:
    """Documents by name; a name has `/` between its parts and no ending."""

    def __init__(self, path: str) -> None:
        self.path = path.rstrip("/")

    @property
    def is_shared_store(self) -> bool:
        """Whether the path is an address, which every host reaches."""
        return "://" in self.path

    def read(self, name: str) -> dict[str, Any] | None:
        """The document, or None. Raises: StateUnavailable."""
        with self._told("read"):
            try:
                raw = self._bytes(name)
            except FileNotFoundError:
                return None
        try:
            document = json.loads(raw, parse_float=_finite, parse_constant=_finite)
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None

    def modified(self, name: str) -> float | None:
        """When its file was written, in seconds since 1970; None where it is gone, or the store does not say.

        Raises: StateUnavailable.
        """
        with self._told("read"):
            try:
                if self.is_shared_store:
                    return float(self._address(name).stat().st_mtime) or None
                return shared_disk.modified(self.path, f"{name}{ENDING}")
            except FileNotFoundError:
                return None

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Put the document there, in place of an older one. Raises: StateUnavailable."""
        raw = json.dumps(document, separators=(",", ":")).encode()
        with self._told("written", may_miss=False):
            if self.is_shared_store:
                self._address(name).write_bytes(raw)
            else:
                shared_disk.replace(self.path, f"{name}{ENDING}", raw)

    def names(self, folder: str) -> list[str]:
        """The names of all documents right in this folder, sorted. Raises: StateUnavailable."""
        with self._told("listed"):
            try:
                found = self._files(folder)
            except (FileNotFoundError, NotADirectoryError):
                return []
        return sorted(f"{folder}/{one.removesuffix(ENDING)}" for one in found if one.endswith(ENDING))

    def folders(self, folder: str) -> list[str]:
        """The names of all folders right in this folder, sorted. Raises: StateUnavailable."""
        with self._told("listed"):
            try:
                found = self._files(folder)
            except (FileNotFoundError, NotADirectoryError):
                return []
        return sorted(f"{folder}/{one}" for one in found if "." not in one)

    def remove(self, name: str) -> None:
        """Gone already is success. Raises: StateUnavailable."""
        with self._told("removed"), contextlib.suppress(FileNotFoundError):
            if self.is_shared_store:
                self._address(name).unlink()
            else:
                shared_disk.remove(self.path, f"{name}{ENDING}")

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """One at a time on this disk, among those who ask for it; an object store has nothing like it."""
        with contextlib.ExitStack() as held:
            if not self.is_shared_store:
                with contextlib.suppress(OSError):  # no such folder yet, or a disk without locks
                    folder = os.open(self.path, os.O_RDONLY)
                    held.callback(os.close, folder)
                    fcntl.flock(folder, fcntl.LOCK_EX)
            yield

    def remove_empty(self, folder: str) -> None:
        """A folder in which nothing is left; an object store has none such."""
        if not self.is_shared_store:
            with contextlib.suppress(OSError):
                shared_disk.remove_empty(self.path, folder)

    def _bytes(self, name: str) -> bytes:
        if self.is_shared_store:
            return bytes(self._address(name).read_bytes())
        return shared_disk.read(self.path, f"{name}{ENDING}")

    def _files(self, folder: str) -> list[str]:
        if self.is_shared_store:
            return [one.name for one in self._address(folder, ending="").iterdir()]
        return shared_disk.listed(self.path, folder)

    def _address(self, name: str, *, ending: str = ENDING) -> Any:  # noqa: ANN401 - fsspec's paths
        from upath import UPath  # noqa: PLC0415 - comes with Airflow, where the path is an address

        return UPath(self.path) / f"{name}{ending}"

    @contextlib.contextmanager
    def _told(self, what: str, *, may_miss: bool = True) -> Any:  # noqa: ANN401 - an iterator's name costs import time in every task
        try:
            yield
        except Exception as wrong:  # each store has its own; some quote what was sent
            if may_miss and isinstance(wrong, FileNotFoundError):
                raise
            why = getattr(wrong, "strerror", None) or type(wrong).__name__
            raise StateUnavailable(f"{PATH} {self.path!r} cannot be {what}: {why}") from None
