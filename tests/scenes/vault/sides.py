"""The two vaults of the contract: the simulated one, and the journal on a Bitwarden asked by the real SDK."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Literal

from bitwarden_vault.client import VaultClient
from bitwarden_vault.formats import Server
from bitwarden_vault.settings import read_settings
from credential_rotation.journal.journal import Journal
from credential_rotation.model import Credential, Record, Secret
from credential_rotation.protocols import Vault
from sandbox.bitwarden.faults import Effect
from sandbox.bitwarden.faults import Fault as CableFault
from sandbox.bitwarden.stand_in import StoredSecret
from scenes.site.ground import ACCOUNT, Ground
from simulators.scene import ETL, HOST
from simulators.vault import SimVault
from simulators.world import Fault, World

Trouble = Literal["answer lost", "never arrives", "late"]
WRITTEN = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)


class Side(ABC):
    """A vault, and a hand on its cables."""

    vault: Vault

    @abstractmethod
    def put_current(self, secret: Secret, note: str = "") -> None:
        """As a person would in the web vault."""

    @abstractmethod
    def trash_current(self) -> None:
        """As a person would, too."""

    @abstractmethod
    def next_write(self, trouble: Trouble) -> None:
        """What happens to the next write, and to none of its kind after it."""

    @abstractmethod
    def is_down(self, *, down: bool) -> None:
        """Whether nobody answers."""

    @abstractmethod
    def let_late_writes_land(self) -> None:
        """Time goes by."""

    def write_down(
        self, epoch: int, password: str, *, attempt: str = "ab12", revokes: bool = False
    ) -> Record:
        """One version's record."""
        written = WRITTEN + timedelta(days=epoch)
        secret = Secret("etl", password)
        return self.vault.record(
            epoch=epoch, attempt=attempt, written=written, secret=secret, revokes=revokes
        )


class SimulatedSide(Side):
    """All in memory."""

    def __init__(self) -> None:
        self.world = World()
        self.simulated = SimVault(self.world)
        self.vault = self.simulated

    def put_current(self, secret: Secret, note: str = "") -> None:
        self.simulated.put_current(secret)
        assert self.simulated.current is not None
        self.simulated.current = replace(self.simulated.current, note=note)

    def trash_current(self) -> None:
        self.simulated.current = None

    def next_write(self, trouble: Trouble) -> None:
        at = len(self.world.calls) + 1
        kinds = {"answer lost": Fault(at, "answer lost"), "late": Fault(at, "late", 10**6)}
        self.world.fault = kinds.get(trouble, Fault(at, "late", 10**9))

    def is_down(self, *, down: bool) -> None:
        self.simulated.down = down

    def let_late_writes_land(self) -> None:
        self.world.land(10**7)


class BitwardenSide(Side):
    """A project for CURRENT and one for the journal, asked through the agent that all tests share."""

    def __init__(self, ground: Ground, number: int, credential: Credential = ETL) -> None:
        self.ground = ground
        self.data, self.journal = (f"{name} of {number}" for name in ("data", "journal"))
        self.ids = {name: ground.bitwarden.create_project(name) for name in (self.data, self.journal)}
        for project in self.ids.values():
            ground.bitwarden.grant(ACCOUNT, project, "write")
        self.client = VaultClient(read_settings({**ground.environ(), "BITWARDEN_PATIENCE": "3s"}))
        self.vault = self.journal_of(credential)

    def journal_of(self, credential: Credential) -> Journal:
        """The journal of this entry, in this side's projects."""
        server = Server("postgres", HOST, 5432, "postgres", {})
        return Journal(credential, self.client, self.ids[self.data], self.ids[self.journal], server)

    def put_current(self, secret: Secret, note: str = "") -> None:
        self.put("warehouse_etl", secret.password, note)

    def put(self, key: str, value: str, note: str = "") -> str:
        """A secret beside or instead of CURRENT; its id."""
        return self.ground.bitwarden.put_secret(project=self.data, key=key, value=value, note=note)

    def put_record(self, key: str, value: str) -> str:
        """A record that somebody else wrote; its id."""
        return self.ground.bitwarden.put_secret(project=self.journal, key=key, value=value)

    def trash_current(self) -> None:
        self.ground.bitwarden.trash(self.stored().id)

    def stored(self) -> StoredSecret:
        """CURRENT as it is in Bitwarden."""
        [found] = [one for one in self.ground.bitwarden.secrets(self.data) if not one.deleted]
        return found

    def records(self) -> list[StoredSecret]:
        """What the journal holds."""
        return [one for one in self.ground.bitwarden.secrets(self.journal) if not one.deleted]

    def next_write(self, trouble: Trouble) -> None:
        does: dict[Trouble, Effect] = {
            "answer lost": "drop_after_commit",
            "never arrives": "drop",
            "late": "commit_late",
        }
        for verb, path in (("POST", "*/secrets"), ("PUT", "*/secrets/*"), ("POST", "*/secrets/delete")):
            self.ground.bitwarden.fault(CableFault(does[trouble], verb, path, seconds=1.0, times=1))

    def is_down(self, *, down: bool) -> None:
        self.ground.bitwarden.clear_faults()
        if down:
            self.ground.bitwarden.fault(CableFault("answer", status=503))

    def let_late_writes_land(self) -> None:
        time.sleep(1.1)
