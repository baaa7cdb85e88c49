"""The two targets of the rotator's contract: the simulated one, and roles on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Protocol

from psycopg import sql

from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.model import Credential, Policy, Record, Secret, Stamp, Strategy
from credential_rotation.protocols import Rotator
from sandbox.ports import free_ports
from scenes.postgres.role import JOURNAL, Scene
from simulators.target import SimTarget
from simulators.world import World

MODES = ("admin", "itself", "pair")
WRITTEN = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)


class RotatorSide(Protocol):
    """A credential whose first role has a password, and the truth about it."""

    rotator: Rotator
    first: Secret
    principals: tuple[str, ...]

    def accepts(self, secret: Secret) -> bool:
        """The truth, asked without the rotator."""

    def stamp_moves_on(self) -> None:
        """Another runner leaves its stamp on the first role."""

    def ends_session(self) -> None:
        """The server ends the session that holds the lock."""

    def refuses_changes(self) -> None:
        """From now on the target says no to every change."""

    def goes_down(self) -> None:
        """From now on nobody answers."""

    def has_an_endpoint(self) -> None:
        """From now on the entry has a further endpoint, which knows what the primary knows."""


def record_of(secret: Secret, epoch: int = 1) -> Record:
    """A version that the journal holds."""
    return Record(f"r{epoch}", epoch, "ab12", WRITTEN, WRITTEN, secret)


def stamp_of(epoch: int = 1) -> Stamp:
    """What that version leaves on the target."""
    return Stamp(epoch, "ab12", JOURNAL)


class SimulatedTarget:
    """All in memory."""

    def __init__(self, mode: str) -> None:
        self.principals: tuple[str, ...] = ("etl", "etl_b") if mode == "pair" else ("etl",)
        self.target = SimTarget(World(), principals=self.principals, changes_itself=mode == "itself")
        self.rotator: Rotator = self.target
        self.first = Secret("etl", "by-hand")

    def accepts(self, secret: Secret) -> bool:
        return self.target.accepts(secret)

    def stamp_moves_on(self) -> None:
        self.target.stamp = stamp_of(9)

    def ends_session(self) -> None:
        self.target.end_session()

    def refuses_changes(self) -> None:
        self.target.refuses_changes = True

    def goes_down(self) -> None:
        self.target.down = True

    def has_an_endpoint(self) -> None:
        self.target.follow()


class PostgresTarget:
    """Roles of their own on a server that all tests share."""

    def __init__(self, scene: Scene, mode: str) -> None:
        self.scene = scene
        self.mode = mode
        self.first = scene.first
        roles = (scene.role, f"{scene.role}_b")
        self.principals: tuple[str, ...] = roles if mode == "pair" else roles[:1]
        scene.set_up()
        for role in self.principals[1:]:
            scene.sql(f"CREATE ROLE {role} LOGIN")
            scene.server.let_rotate(scene.admin, role)
        self.rotator: Rotator = self._made(self._credential())

    def accepts(self, secret: Secret) -> bool:
        return self.scene.logs_in(secret)

    def stamp_moves_on(self) -> None:
        text = f"credential-rotation: epoch=000009 attempt=ab12 journal={JOURNAL}"
        self.scene.sql(f"COMMENT ON ROLE {self.scene.role} IS '{text}'")

    def ends_session(self) -> None:
        holder = self.principals[0] if self.mode == "itself" else self.scene.admin
        end = sql.SQL("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = {}")
        self.scene.sql(end.format(sql.Literal(holder)))

    def refuses_changes(self) -> None:
        self.scene.sql(f"ALTER ROLE {self.scene.admin} NOCREATEROLE")

    def goes_down(self) -> None:
        [closed] = free_ports(1)
        self.rotator = self._made(replace(self._credential(), target=self.scene.target(port=str(closed))))

    def has_an_endpoint(self) -> None:
        self.rotator = self._made(replace(self._credential(), endpoints=(self.scene.target(),)))

    def _made(self, credential: Credential) -> PostgresRotator:
        return PostgresRotator(credential, admin=None if self.mode == "itself" else lambda: self.scene.admins)

    def _credential(self) -> Credential:
        return replace(
            self.scene.credential(),
            strategy=Strategy.ALTERNATING if self.mode == "pair" else Strategy.IN_PLACE,
            principals=self.principals,
            policy=Policy("quarterly", max_age=timedelta(days=90), grace=timedelta(hours=1)),
        )
