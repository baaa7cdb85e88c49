"""A role and its admin on a real PostgreSQL, for one test."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
from psycopg import sql

from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.model import Credential, Policy, Record, Secret, Stamp, Strategy, Target, VaultPlace
from sandbox.postgres import PostgresServer

JOURNAL = "5f0c1c1e-0000-4000-8000-000000000001"


@dataclass
class Scene:
    """A role and the admin who may change it, on a real server."""

    server: PostgresServer
    role: str
    admin: str
    first: Secret = field(init=False)
    admins: Secret = field(init=False)

    def __post_init__(self) -> None:
        self.first = Secret(self.role, secrets.token_urlsafe(20))
        self.admins = Secret(self.admin, secrets.token_urlsafe(20))

    def set_up(self) -> None:
        self.server.create_role(self.role, self.first.password)
        self.server.create_rotator(self.admins.password, over=[self.role], name=self.admin)

    def connect(self, secret: Secret | None = None) -> psycopg.Connection[Any]:
        who = secret or Secret(self.server.superuser, self.server.superuser_password)
        return self.server.connect(who.principal, who.password)

    def sql(self, statement: str | sql.Composed) -> list[tuple[Any, ...]]:
        """As superuser, and without waiting for replicas that a test invented."""
        query = sql.SQL(statement) if isinstance(statement, str) else statement
        with self.connect() as connection:
            connection.execute("SET synchronous_commit = off")
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def logs_in(self, secret: Secret) -> bool:
        """The truth, asked without the code under test."""
        try:
            self.connect(secret).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def comment(self) -> str | None:
        rows: Any = self.sql("SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_authid")
        comments: dict[str, str | None] = dict(rows)
        return comments[self.role]

    def target(self, **settings: str) -> Target:
        ours = {"port": str(self.server.port), "sslrootcert": str(self.server.ca_file)}
        return Target(self.server.host, ours | settings)

    def credential(
        self,
        *,
        target: Target | None = None,
        endpoints: tuple[Target, ...] = (),
        options: dict[str, str] | None = None,
    ) -> Credential:
        return Credential(
            name="etl",
            engine="postgres",
            strategy=Strategy.IN_PLACE,
            principals=(self.role,),
            target=target or self.target(),
            vault=VaultPlace(project="p", format="password", key="k"),
            policy=Policy(name="p", max_age=timedelta(days=1)),
            owner="me",
            source="x.yaml:1",
            endpoints=endpoints,
            options=options or {},
        )

    def rotator(self, *, itself: bool = False, admins: Secret | None = None, **entry: Any) -> PostgresRotator:  # noqa: ANN401 - as credential()
        who = admins or self.admins
        return PostgresRotator(self.credential(**entry), admin=None if itself else lambda: who)

    def record(self, secret: Secret, epoch: int = 1) -> Record:
        now = datetime.now(timezone.utc)
        return Record(f"r{epoch}", epoch, "ab12", now, now, secret)

    def stamp(self, epoch: int = 1) -> Stamp:
        return Stamp(epoch, "ab12", JOURNAL)

    @contextmanager
    def admitted_by(self, method: str) -> Iterator[None]:
        """Let the server ask this role for something else than SCRAM."""
        [(path, before)] = self.sql(
            "SELECT current_setting('hba_file'), pg_read_file(current_setting('hba_file'))"
        )
        self._write(path, f"host all {self.role} all {method}\n{before}")
        try:
            yield
        finally:
            self._write(path, before)

    def _write(self, path: str, text: str) -> None:
        lines = sql.SQL(", ").join(sql.Literal(line) for line in text.splitlines() if line.strip("# \t"))
        self.sql(sql.SQL("COPY (SELECT unnest(ARRAY[{}])) TO {}").format(lines, sql.Literal(path)))
        self.reload()

    def reload(self) -> None:
        """Have the server read its files again, and wait until it has."""
        [(before,)] = self.sql("SELECT pg_reload_conf()::text || pg_conf_load_time()::text")
        deadline = time.monotonic() + 20
        while self.sql("SELECT 'true' || pg_conf_load_time()::text") == [(before,)]:
            assert time.monotonic() < deadline, "the server did not read its configuration again"
            time.sleep(0.05)
        time.sleep(0.2)  # the checkpointer passes on what was said about replicas, and tells nobody when

    @contextmanager
    def setting(self, name: str, value: str) -> Iterator[None]:
        self.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        self.reload()
        try:
            yield
        finally:
            self.sql(f"ALTER SYSTEM RESET {name}")
            self.reload()
