"""The two ways to know readers, as the contract suite drives them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from bitwarden_vault.readers.document import FOLDER
from bitwarden_vault.readers.publish import carry_out
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.model import Current, Secret
from credential_rotation.readership import Reader
from credential_rotation.state.readers import PublishedReaders
from simulators.readers import SimReaders
from simulators.world import World


def current(secret_id: str) -> Current:
    """CURRENT's secret, of which only the id matters here."""
    at = World().now
    return Current(secret_id, "k", Secret("etl", "v"), at, epoch=4, attempt="a", value="v", note="")


def document(host: str, written: datetime, *readers: dict[str, Any], left_out: int = 0) -> dict[str, Any]:
    """As an agent of this host writes it."""
    return {
        "schema": 1,
        "host": host,
        "boot": "boot",
        "numbers": "pid:[1]",
        "agent": 311,
        "agent_started": 1,
        "written": written.isoformat(),
        "left_out": left_out,
        "readers": list(readers),
    }


def published(order: dict[str, Any]) -> dict[str, Any]:
    """The last word of the process that publishes, for this order."""
    said: list[dict[str, Any]] = []
    carry_out(order, said.append)
    return said[-1]


def reader(secret_id: str, version: int, at: datetime, pid: int = 4242, **claims: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """One process in a document."""
    return {
        "pid": pid,
        "started": 91250,
        "program": "airflow worker",
        "secret": secret_id,
        "key": "warehouse",
        "project": "p",
        "version": version,
        "newest": version,
        "first": at.isoformat(),
        "last": at.isoformat(),
        **claims,
    }


class SimulatedSide:
    """The test says who reads."""

    def __init__(self) -> None:
        self.world = World()
        self.readers = SimReaders(self.world)

    def begin(self, secret_id: str, version: int) -> Reader:
        return self.readers.begin(secret_id, version, f"somebody {version}")

    def begin_for_others(self, secret_id: str, version: int) -> None:
        self.readers.unseen.setdefault(secret_id, []).append(Reader(version, "an api-server"))

    def end(self, one: Reader) -> None:
        self.readers.end(one)

    def break_it(self) -> None:
        self.readers.unknown = "the folder is gone"


class PublishedSide:
    """A folder, with the document of one host."""

    def __init__(self, folder: Path) -> None:
        self.world = World()
        self._path = folder
        self.folder = StateFolder(str(folder))
        self.readers = PublishedReaders(self.folder, self.world.clock)
        self._lines: dict[int, dict[str, Any]] = {}
        self._written = self.world.now

    def begin(self, secret_id: str, version: int) -> Reader:
        pid = 4000 + len(self._lines)
        self._lines[pid] = reader(secret_id, version, self._written, pid)
        self._publish()
        found = self.readers.of(current(secret_id))
        return next(one for one in found.living if str(pid) in one.who)

    def begin_for_others(self, secret_id: str, version: int) -> None:
        pid = 4000 + len(self._lines)
        self._lines[pid] = reader(secret_id, version, self._written, pid, hands_on=True)
        self._publish()

    def end(self, one: Reader) -> None:
        self._lines = {pid: line for pid, line in self._lines.items() if str(pid) not in one.who}
        self._publish()

    def break_it(self) -> None:
        folder = self._path / FOLDER
        for path in folder.glob("*"):
            path.unlink()
        folder.rmdir()
        folder.symlink_to(folder)  # leads nowhere, also for root

    def _publish(self) -> None:
        self.folder.write(f"{FOLDER}/host-a-1", document("host-a", self._written, *self._lines.values()))
