"""The sandbox's PostgreSQL: passwords count, TLS is verified, outages end sessions but lose nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from sandbox.kept import DidNotStart
from sandbox.postgres import PostgresServer
from sandbox.tls import LocalCertificates


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as running:
        running.create_role("reader", "right-password")
        yield running


def test_a_wrong_password_is_refused_also_for_the_superuser(server: PostgresServer) -> None:
    """A server that trusts would prove any password."""
    server.connect("reader", "right-password").close()
    for who in ("reader", server.superuser):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            server.connect(who, "wrong")


def test_only_scram_is_spoken(server: PostgresServer) -> None:
    """A client that insists on it gets in, and only verifiers are stored."""
    rows = server.execute("SELECT rolpassword FROM pg_authid WHERE rolcanlogin")
    assert [str(one).split("$")[0] for (one,) in rows] == ["SCRAM-SHA-256"] * len(rows)
    with pytest.raises(psycopg.OperationalError, match="md5"):
        server.connect("reader", "right-password", require_auth="md5")


def test_tls_is_verified_and_plain_connections_are_refused(server: PostgresServer, tmp_path: Path) -> None:
    """A certificate of another authority, another name, no TLS: each fails as against a real server."""
    stranger = LocalCertificates(tmp_path).ca_file
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        server.connect("reader", "right-password", sslrootcert=str(stranger))
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        server.connect("reader", "right-password", host="db.internal")
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        server.connect("reader", "right-password", sslmode="disable", sslrootcert="")


def test_an_outage_ends_sessions_and_keeps_what_was_committed(server: PostgresServer) -> None:
    """Same ports afterwards, so that an inventory stays right."""
    ports = server.port, server.direct_port
    server.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with server.connect("reader", "right-password") as session:
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
    server.start()
    assert (server.port, server.direct_port) == ports
    assert server.execute("SELECT one FROM kept") == [(1,)]


def test_every_statement_is_in_the_log(server: PostgresServer) -> None:
    """Where a leaked password would be found; roles made by the sandbox leave only verifiers there."""
    server.create_role("writer", "a-password-of-the-test")
    server.execute("SELECT 'something to look for'")
    assert "something to look for" in server.log()
    assert "CREATE ROLE" in server.log()
    assert "a-password-of-the-test" not in server.log()


def test_the_admin_may_do_what_is_documented_and_no_more(server: PostgresServer) -> None:
    """ADMIN OPTION on the roles it rotates: others are out of its reach."""
    server.create_role("rotated", "x")
    server.create_rotator("admins-password", over=["rotated"])
    with server.connect("rotator", "admins-password") as admin:
        admin.execute("ALTER ROLE rotated PASSWORD NULL")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute("ALTER ROLE reader PASSWORD NULL")


def test_it_never_runs_as_root_and_no_password_is_on_a_command_line(server: PostgresServer) -> None:
    """PostgreSQL refuses root; the sandbox then runs it as nobody."""
    postgres = psutil.Process(server.pids["postgres"])
    assert postgres.uids().effective != 0
    if os.geteuid() != 0:
        assert postgres.uids().effective == os.geteuid()
    everyone = " ".join(
        word for one in psutil.process_iter(["cmdline"]) for word in one.info["cmdline"] or ()
    )
    assert server.superuser_password not in everyone


def test_a_failed_start_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SANDBOX_PG_BIN that names no PostgreSQL is one clear sentence."""
    monkeypatch.setenv("SANDBOX_PG_BIN", str(tmp_path))
    before = psutil.Process().children()
    with pytest.raises(DidNotStart, match="no PostgreSQL programs in"):
        PostgresServer(tmp_path / "server").start()
    assert psutil.Process().children() == before
