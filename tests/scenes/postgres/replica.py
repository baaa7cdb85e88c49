"""A real streaming replica of the tests' server, which lags for as long as a test wants."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from credential_rotation.model import Secret, Target
from sandbox.kept import Kept, wait_until
from sandbox.ports import free_ports
from sandbox.postgres import PostgresServer
from sandbox.postgres_binaries import Binaries


@dataclass
class Replica:
    """Follows the server; plain connections only."""

    server: PostgresServer
    port: int

    @property
    def target(self) -> Target:
        """As an endpoint of an entry."""
        return Target("127.0.0.1", {"port": str(self.port), "sslmode": "disable"})

    def logs_in(self, secret: Secret) -> bool:
        """The truth, asked without the code under test."""
        try:
            self._connect(secret.principal, secret.password).close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, secret: Secret) -> psycopg.Connection[tuple[object, ...]]:
        """As an application does."""
        return self._connect(secret.principal, secret.password)

    def lag(self) -> None:
        """From now on it knows nothing new."""
        self._ask("SELECT pg_wal_replay_pause()")
        wait_until(
            lambda: self._ask("SELECT pg_get_wal_replay_pause_state()") == "paused", "a lag", within=10
        )

    def catch_up(self) -> None:
        """It knows all that the server has done until now."""
        [(done,)] = self.server.execute("SELECT pg_current_wal_flush_lsn()::text")
        self._ask("SELECT CASE WHEN pg_is_wal_replay_paused() THEN pg_wal_replay_resume() END")
        seen = f"SELECT (pg_last_wal_replay_lsn() >= '{done}')::text"
        wait_until(lambda: self._ask(seen) == "true", "the replica", within=20)

    def answers(self) -> bool:
        """Whether it has started."""
        try:
            return self._ask("SELECT pg_is_in_recovery()::text") == "true"
        except psycopg.OperationalError:
            return False

    def _ask(self, statement: str) -> str:
        with self._connect(self.server.superuser, self.server.superuser_password) as connection:
            row = connection.execute(statement.encode()).fetchone()
            return str(row[0]) if row else ""

    def _connect(self, user: str, password: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            dbname="postgres",
            require_auth="scram-sha-256",
            autocommit=True,
        )


@contextmanager
def replica_of(server: PostgresServer, folder: Path) -> Iterator[Replica]:
    """Copied from the running server, and following it until the block ends."""
    binaries, home = server._binaries, server._home
    assert binaries is not None
    assert home is not None
    place, [port] = home / f"replica-{os.getpid()}", free_ports(1)
    _copy(server, binaries, place)
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    made = Replica(server, port)
    with ExitStack() as stack:
        kept = Kept(
            [binaries.folder / "postgres", "-D", place, "-c", "shared_buffers=16MB", *options],
            log=folder / "replica.log",
            user=binaries.user,
            cwd=home,
            stop_signal="SIGINT",
            remove=place,
        )
        stack.callback(kept.stop)
        wait_until(made.answers, "the replica", within=30, kept=(kept,))
        yield made


def _copy(server: PostgresServer, binaries: Binaries, place: Path) -> None:
    command = [
        *(binaries.folder / "pg_basebackup", "-D", place, "-h", "127.0.0.1", "-p", server.direct_port),
        *("-U", server.superuser, "--write-recovery-conf", "--no-sync", "--checkpoint=fast"),
    ]
    subprocess.run(
        list(map(str, command)),
        env={"PGPASSWORD": server.superuser_password},
        user=binaries.user,
        cwd=place.parent,
        check=True,
        capture_output=True,
    )
