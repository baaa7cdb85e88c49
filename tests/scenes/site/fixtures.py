"""pytest fixtures: servers and agent shared by all tests of the command line, and a site for each of them."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.bitwarden.stand_in import BitwardenStandIn
from sandbox.postgres import PostgresServer
from scenes.site.deployment import Site
from scenes.site.ground import ACCOUNT, Ground, own_agent

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One Bitwarden, one PostgreSQL, one agent."""
    folder = tmp_path_factory.mktemp("ground")
    with BitwardenStandIn(folder / "bitwarden") as bitwarden, PostgresServer(folder / "postgres") as postgres:
        token = bitwarden.create_machine_account(ACCOUNT, {})
        nowhere = Ground(bitwarden, postgres, token, Path())
        with own_agent(nowhere, token) as environ:
            yield Ground(bitwarden, postgres, token, Path(environ["BITWARDEN_SOCKET_DIR"]))


@contextmanager
def new_site(ground: Ground, folder: Path) -> Iterator[Site]:
    """Entries of its own; whatever the commands were made to say, no value is among it."""
    made = Site(ground, folder, next(_numbers))
    made.set_up()
    shutil.rmtree(
        made.environ["ROTATION_STATE_PATH"], ignore_errors=True
    )  # the agent's, so all sites share it
    yield made
    assert not made.leaked(), "a value was printed or logged"


@pytest.fixture
def site(ground: Ground, tmp_path: Path) -> Iterator[Site]:
    """For one test."""
    with new_site(ground, tmp_path / "include") as made:
        yield made
