"""A rotation with the real SDK, agent and PostgreSQL, while Bitwarden is in trouble; and what must hold then.

`etl` is of strategy in_place: from apply to promote nobody gets in with what is stored as CURRENT.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from sandbox.bitwarden.faults import Fault
from sandbox.kept import wait_until
from scenes.site.deployment import Site

CHALLENGE = "<!DOCTYPE html><html><title>Just a moment...</title><body>Checking your browser</body></html>"
SLOW_DOWN = '{{"message":"Slow down! Too many requests. Try again in {}."}}'
TOKEN_PATH = "/identity/connect/token"

LOOK = ("GET", "/api/organizations/*/secrets")
RECORD = ("POST", "/api/organizations/*/secrets")
PROMOTE = ("PUT", "/api/secrets/*")
END = ("POST", "/api/secrets/delete")
Moment = tuple[str, str]
"""Verb and path of the request that meets the trouble."""

DEADLINE = 1.5
SHORT = {"BITWARDEN_DEADLINE": f"{DEADLINE}s", "BITWARDEN_PATIENCE": "4s"}
"""So that silence takes no minutes, and a busy machine has time to start a process all the same."""
_EXIT = {"rotated": 0, "recovered": 0, "failed": 1, "refused": 1, "unproved": 1, "waiting": 3, "busy": 3}
_LATER = timedelta(hours=1)
"""By then everything that was sent has landed, or never will."""
_HELD = 1.0


@dataclass
class Struck:
    """A credential that was in order when the trouble came."""

    site: Site
    name: str = "etl"
    key: str = "airflow/connections/etl"
    version: int = field(init=False)
    """That it had then."""
    was_healed: bool = False

    def __post_init__(self) -> None:
        [record] = self.site.records(self.name)
        self.version = _epoch(record)

    def strike(self, moment: Moment, does: Any, **how: Any) -> None:  # noqa: ANN401 - the fields of a Fault
        """This trouble with such requests, until it is over."""
        self.site.bitwarden.fault(Fault(does, verb=moment[0], path=moment[1], **how))

    @contextmanager
    def meanwhile(self, moment: Moment, act: Callable[[], object]) -> Iterator[None]:
        """While such a request is on its way, a person does something."""
        self.site.bitwarden.clear_requests()
        self.strike(moment, "delay", seconds=_HELD, times=1)

        def held() -> bool:
            return any(line.fault == "delay" for line in self.site.bitwarden.requests())

        def person() -> None:
            wait_until(held, "the request is on its way", within=30)
            act()
            acted.append(True)

        acted: list[bool] = []
        thread = threading.Thread(target=person)
        thread.start()
        yield
        thread.join()
        assert acted

    def rotate(self, **environ: str | None) -> dict[str, Any]:
        """By the command line: an outcome with a reason, and whatever happened nobody is locked out."""
        before = self.verifier()
        ran = self.site.run("rotate", self.name, "--json", **environ)
        outcome = ran.outcomes[self.name]
        assert ran.code == _EXIT[outcome["outcome"]]
        assert outcome["reason"]
        assert ran.code == 0 or outcome["next_step"]
        assert self.verifier() == before or self._is_recorded(), "the target was touched without a record"
        assert any(self.site.logs_in(self.name, one) for _, one in self._values()), "locked out"
        return outcome

    def heals(self) -> str:
        """The trouble is over: how an ordinary run ends, after which all is in order."""
        self.site.bitwarden.clear_faults()
        ran = self.site.run("rotate", self.name, "--json")
        outcome = ran.outcomes[self.name]
        assert ran.code == 0, outcome
        self.was_healed = True
        self.in_order()
        return str(outcome["outcome"])

    def is_settled(self) -> bool:
        """Whether the next version could be begun, and was."""
        is_begun = self.site.run("rotate", self.name, "--json").words[self.name] == "rotated"
        return is_begun and len(self.site.records(self.name)) == 1

    def in_order(self) -> None:
        """After what the next hours' runs do: one version, which is CURRENT, and no other value works."""
        deployment = self.site.deployment()
        deployment.clock = lambda: datetime.now(timezone.utc) + _LATER
        deployment.rotate(deployment.entry(self.name), None)
        current = self.site.password(self.key)
        assert self.site.logs_in(self.name, current)
        assert len(self.site.records(self.name)) == 1
        assert self._is_recorded()
        ever = {one for key, one in self._values(trash=True) if _epoch(key) >= self.version}
        assert [one for one in ever - {current} if self.site.logs_in(self.name, one)] == []

    def forget(self) -> None:
        """The agent remembers refusals and limits, longer than a test can wait: the next one does not."""
        self.site.bitwarden.clear_faults()
        VaultClient(read_settings(self.site.environ)).stop()

    def verifier(self) -> str:
        """What PostgreSQL keeps of the password."""
        return str(next(row[1] for row in self.site.roles() if row[0] == self.site.role(self.name)))

    def _is_recorded(self) -> bool:
        """Some record in the journal has the value that works."""
        records = [value for key, value in self._values() if key.startswith("rotation/")]
        return any(self.site.logs_in(self.name, one) for one in records)

    def _values(self, *, trash: bool = False) -> list[tuple[str, str]]:
        """Keys and passwords of what is stored on this credential."""
        found = [one for one in self.site.secrets() if trash or not one.deleted]
        ours = [one for one in found if one.key == self.key or one.key.startswith(f"rotation/{self.name}/")]
        return [(one.key, str(json.loads(one.value)["password"])) for one in ours]


def _epoch(key: str) -> int:
    """Of a record; CURRENT has none in its key."""
    return int(key.split("/")[2]) if key.startswith("rotation/") else 0
