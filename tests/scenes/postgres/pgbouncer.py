"""A real PgBouncer in front of the tests' server; it is a system package, and named as not run where missing.

`SANDBOX_PGBOUNCER` names the program where it is somewhere else.

`auth_query`: it asks the server for the role's verifier at each login. `auth_file`: it has a file of them,
which knows a new one when somebody has written it there and said RELOAD.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from credential_rotation.model import Secret, Target
from sandbox.kept import Kept, wait_until
from sandbox.ports import free_ports
from sandbox.postgres import PostgresServer
from sandbox.postgres_binaries import make_runtime_folder
from scenes.packages import is_missing

CONFIGURATION = """\
[databases]
* = host=127.0.0.1 port={behind}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {mode}
admin_users = bouncer
server_login_retry = 1
{auth}
"""
BY_QUERY = """\
auth_user = bouncer
auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1
"""


@dataclass
class PgBouncer:
    """Pools sessions of one server; plain connections only."""

    server: PostgresServer
    folder: Path
    mode: str
    auth: str
    port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def target(self) -> Target:
        """As an endpoint of an entry, or (wrongly) as its target."""
        return Target("127.0.0.1", {"port": str(self.port), "sslmode": "disable", "connect_timeout": "3"})

    @property
    def users(self) -> Path:
        return self.folder / "users.txt"

    def configure(self) -> Path:
        """Its configuration, and the file of users with what the server has now."""
        self.write_users()
        file = self.folder / "pgbouncer.ini"
        auth = BY_QUERY if self.auth == "auth_query" else ""
        words = {"behind": self.server.direct_port, "port": self.port, "users": self.users}
        file.write_text(CONFIGURATION.format(mode=self.mode, auth=auth, **words))
        return file

    def write_users(self) -> None:
        """As a person or a script does after a rotation, where PgBouncer has a file."""
        told = [("bouncer", self.server.superuser_password)]
        if self.auth == "auth_file":
            told += self.server.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword <> ''")
        lines = dict(reversed(told)).items()
        new = self.folder / "users.new"  # PgBouncer passes over a change that leaves size and second the same
        new.write_text("".join(f'"{name}" "{verifier}"\n' for name, verifier in lines))
        new.replace(self.users)

    def reload(self) -> None:
        """Have it read the file again."""
        with self.connect(Secret("bouncer", self.server.superuser_password), "pgbouncer") as console:
            console.execute("RELOAD")

    def connect(self, secret: Secret, dbname: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """As an application does."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=secret.principal,
            password=secret.password,
            dbname=dbname,
            connect_timeout=5,
            autocommit=True,
        )

    def logs_in(self, secret: Secret) -> bool:
        """The truth, asked without the code under test."""
        try:
            with self.connect(secret) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def pgbouncer(server: PostgresServer, folder: Path, *, mode: str, auth: str) -> Iterator[PgBouncer]:
    """One that runs until the block ends."""
    program = os.environ.get("SANDBOX_PGBOUNCER") or shutil.which("pgbouncer", path=f"{os.defpath}:/usr/sbin")
    if program is None:
        is_missing("pgbouncer")
    runtime = make_runtime_folder()
    made = PgBouncer(server, runtime or folder, mode, auth)
    server.execute("DROP ROLE IF EXISTS bouncer")
    server.create_role("bouncer", server.superuser_password, superuser=True)
    kept = Kept(
        [program, made.configure()],
        log=folder / "pgbouncer.log",
        user=None if runtime is None else "nobody",
        cwd=made.folder,
        stop_signal="SIGINT",
        remove=runtime,
    )
    try:
        superuser = Secret(server.superuser, server.superuser_password)
        wait_until(lambda: made.logs_in(superuser), "PgBouncer", within=15, kept=(kept,))
        yield made
    finally:
        kept.stop()
