"""One real PostgreSQL for the engine's tests, and a role of its own for each of them."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator

import pytest

from sandbox.postgres import PostgresServer
from scenes.postgres.pooler import hasty_server, pooler
from scenes.postgres.replica import Replica, replica_of
from scenes.postgres.role import Scene

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture
def scene(server: PostgresServer) -> Scene:
    number = next(_numbers)
    made = Scene(server, role=f"etl_{number}", admin=f"admin_{number}")
    made.set_up()
    return made


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A listener that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def pooler_port(server: PostgresServer) -> Iterator[int]:
    with pooler(server.direct_port) as port:
        yield port


@pytest.fixture
def hasty_port() -> Iterator[int]:
    """A server that says 28P01 to whoever comes, without having asked for anything."""
    with hasty_server() as port:
        yield port


@pytest.fixture(params=["admin", "itself"])
def itself(request: pytest.FixtureRequest) -> bool:
    """Both modes: changed by an admin, or by the role itself."""
    return bool(request.param == "itself")


@pytest.fixture(scope="module")
def running(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """One replica for all tests of a file."""
    with replica_of(server, tmp_path_factory.mktemp("replica")) as made:
        yield made


@pytest.fixture
def replica(scene: Scene, running: Replica) -> Replica:
    """The same, up to date: it knows the role and its admin."""
    running.catch_up()
    assert running.logs_in(scene.first)
    return running
