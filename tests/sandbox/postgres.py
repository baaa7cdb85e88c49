"""A real PostgreSQL for tests and the demo, with passwords that count and a log that shows every statement.

1. Only `scram-sha-256` logs in, also for the superuser; nothing is trusted.
2. `log_statement=all`: what leaks into a server's log is found in `log()`.
3. The programs of the wheel have no TLS. A front of ours (`sandbox.tls_front`) has: clients
   verify certificate and host name for real, but there is no channel binding, and for the server every
   connection is a plain one from this machine. `direct_port` leads past the front.
4. Started by root it runs as `nobody`, in a folder below the system's temporary one, removed when it ends.
"""

import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
from psycopg import sql

from sandbox.kept import DidNotStart, Kept, wait_until
from sandbox.places import TESTS
from sandbox.ports import free_ports
from sandbox.postgres_binaries import Binaries, find_binaries, make_runtime_folder
from sandbox.tls import LocalCertificates

_READY_WITHIN = 60.0
_TRIES = 5


class PostgresServer:
    """One server in `directory`, on ports of its own that stay the same over `stop()` and `start()`."""

    host = "localhost"
    superuser = "postgres"

    def __init__(self, directory: Path, *, refuse_plain: bool = True, hold: int | None = None) -> None:
        self._directory = directory
        self._refuse_plain, self._hold = refuse_plain, hold
        self._log = directory / "postgres.log"
        self._binaries: Binaries | None = None
        self._home: Path | None = None
        self._running = ExitStack()
        self._kept_for_good = ExitStack()
        self.superuser_password = secrets.token_urlsafe(24)
        self.port = self.direct_port = 0
        self.ca_file = directory / "ca.pem"
        self.pids: dict[str, int] = {}

    def __enter__(self) -> "PostgresServer":  # noqa: PYI034 - typing.Self is 3.11
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it; the first time with an empty database, later with what was there at `stop()`."""
        try:
            if self._home is None:
                self._create()
            self._serve()
        except BaseException:
            self.close()
            raise

    def stop(self) -> None:
        """An outage: connections end, new ones are refused, what was committed stays."""
        self._running.close()

    def restart(self) -> None:
        """End every session and come back."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop for good, and forget the database."""
        self.stop()
        self._kept_for_good.close()
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
        self._home = None
        self.pids.clear()

    def connect(
        self,
        user: str,
        password: str,
        dbname: str = "postgres",
        **options: Any,  # noqa: ANN401 - libpq's own
    ) -> psycopg.Connection:
        """Log in as a careful client does: verified TLS, and SCRAM insisted on."""
        wanted = {
            "hostaddr": "127.0.0.1",
            "sslmode": "verify-full",
            "sslrootcert": str(self.ca_file),
            "require_auth": "scram-sha-256",
            "connect_timeout": 10,
            "autocommit": True,
        }
        wanted |= {"host": self.host, "port": self.port, "user": user, "password": password, "dbname": dbname}
        return psycopg.connect(**cast("dict[str, Any]", wanted | options))

    def execute(self, statement: str | sql.Composed, *, dbname: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as superuser; its rows, if it has any."""
        query = sql.SQL(statement) if isinstance(statement, str) else statement
        with self.connect(self.superuser, self.superuser_password, dbname) as connection:
            ran = connection.execute(query)
            return ran.fetchall() if ran.description else []

    def log(self) -> str:
        """All that the server has logged so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def create_role(self, name: str, password: str, **options: bool | int | str) -> None:
        """A role that logs in, with options such as `createrole=True` and `connection_limit=5`."""
        with self.connect(self.superuser, self.superuser_password) as connection:
            verifier = connection.pgconn.encrypt_password(
                password.encode(), name.encode(), b"scram-sha-256"
            ).decode()
            words = sql.SQL(" ").join(_option(key, value) for key, value in options.items())
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} {}").format(
                    sql.Identifier(name), sql.Literal(verifier), words
                )
            )

    def create_rotator(self, password: str, *, over: Iterable[str], name: str = "rotator") -> None:
        """The admin that include/sql makes, with none of the rights that it grants to some only."""
        self.create_role(name, password, createrole=True)
        for role in over:
            self.let_rotate(name, role)

    def let_rotate(self, rotator: str, role: str) -> None:
        """The grant of include/sql: it may change the role, and has none of its rights."""
        grant = sql.SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        self.execute(grant.format(sql.Identifier(role), sql.Identifier(rotator)))

    def create_database(self, name: str, *, owner: str = "postgres") -> None:
        """An empty database."""
        self.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner))
        )

    def _create(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._log.unlink(missing_ok=True)
        runtime = make_runtime_folder()
        self._home = runtime or self._directory / "postgres"
        if runtime is None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home.mkdir(mode=0o700)
        else:
            keeper = Kept([], remove=runtime, hold=self._hold)
            self._kept_for_good.callback(keeper.stop)
            self.pids["postgres folder's keeper"] = keeper.keeper_pid
        self._binaries = find_binaries(runtime)
        LocalCertificates(self._directory)
        self._initialise(self._home, self._binaries)

    def _initialise(self, home: Path, binaries: Binaries) -> None:
        log = self._directory / "initdb.log"
        with _password_file(home / "first-password", self.superuser_password, binaries.user) as password_file:
            made = Kept(
                [
                    *(binaries.folder / "initdb", "-D", home / "database", "-U", self.superuser),
                    *(f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
                    *("--no-sync", "--no-instructions"),
                ],
                log=log,
                user=binaries.user,
                cwd=home,
                hold=self._hold,
            )
            try:
                code = made.wait(_READY_WITHIN)
            finally:
                made.stop()
        if code != 0:
            raise DidNotStart(f"initdb failed:\n{made.tail()}")

    def _serve(self) -> None:
        fixed = self.port != 0
        for left in reversed(range(_TRIES)):
            if not fixed:
                self.direct_port, self.port = free_ports(2)
            try:
                self._serve_on_these_ports()
            except DidNotStart as failure:
                self._running.close()
                taken = "could not bind" in str(failure) or "address already in use" in str(failure)
                if fixed or not left or not taken:
                    raise
            else:
                return

    def _serve_on_these_ports(self) -> None:
        assert self._binaries is not None
        assert self._home is not None
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.direct_port,
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "log_statement": "all",
            "log_connections": "on",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            "fsync": "off",
            "shared_buffers": "16MB",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        server = self._keep(
            "postgres",
            [self._binaries.folder / "postgres", "-D", self._home / "database", *options],
            log=self._log,
            user=self._binaries.user,
            cwd=self._home,
            stop_signal="SIGINT",
        )
        certificate = self._directory / "server.pem"
        front = self._keep(
            "tls front",
            [
                *(sys.executable, "-m", "sandbox.tls_front", certificate, self.port, self.direct_port),
                *(["--refuse-plain"] if self._refuse_plain else []),
            ],
            log=self._directory / "tls-front.log",
            env=os.environ | {"PYTHONPATH": str(TESTS)},
            grace=1.0,
        )
        wait_until(self._answers, "PostgreSQL", within=_READY_WITHIN, kept=(server, front))

    def _keep(self, name: str, command: list[Any], **how: Any) -> Kept:  # noqa: ANN401 - handed on as they are
        kept = Kept(command, hold=self._hold, **how)
        self._running.callback(kept.stop)
        self.pids |= {name: kept.pid, f"{name}'s keeper": kept.keeper_pid}
        return kept

    def _answers(self) -> bool:
        try:
            self.connect(self.superuser, self.superuser_password).close()
        except psycopg.OperationalError:
            return False
        return True


def _option(key: str, value: bool | int | str) -> sql.Composable:  # noqa: FBT001 - a value, not a switch
    words = sql.SQL(key.upper().replace("_", " "))
    if value is True:
        return words
    if value is False:
        return sql.SQL("NO{}").format(words)
    return sql.SQL("{} {}").format(words, sql.Literal(value))


@contextmanager
def _password_file(path: Path, password: str, user: str | None) -> Iterator[Path]:
    path.touch(mode=0o600)
    path.write_text(password)
    if user is not None:
        shutil.chown(path, user)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
