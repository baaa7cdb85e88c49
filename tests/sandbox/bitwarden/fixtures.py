"""pytest fixtures: one server for the whole run, wiped clean of faults and limits for every test.

A test module asks for them with `pytest_plugins = ["sandbox.bitwarden.fixtures"]`. Tests do not meet: each
gets a project and a machine account of its own.
"""

from collections.abc import Iterator
from itertools import count

import pytest

from sandbox.bitwarden.sdk import Workplace, log_in
from sandbox.bitwarden.stand_in import BitwardenStandIn

_numbers = count(1)


@pytest.fixture(scope="session")
def shared_bitwarden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BitwardenStandIn]:
    """The server of this run."""
    with BitwardenStandIn(tmp_path_factory.mktemp("bitwarden")) as bitwarden:
        yield bitwarden


@pytest.fixture
def bitwarden(shared_bitwarden: BitwardenStandIn) -> BitwardenStandIn:
    """The server as it is when nothing is wrong."""
    shared_bitwarden.advance_clock(-shared_bitwarden.clock_is_ahead)
    shared_bitwarden.clear_faults()
    shared_bitwarden.rate_limits(False)  # noqa: FBT003  # reads as a switch
    shared_bitwarden.bearer_lifetime(3600)
    shared_bitwarden.clear_requests()
    return shared_bitwarden


@pytest.fixture
def workplace(bitwarden: BitwardenStandIn) -> Workplace:
    """A machine account that may read and write in a project of its own."""
    name = f"project-{next(_numbers)}"
    account = f"account of {name}"
    project = bitwarden.create_project(name)
    token = bitwarden.create_machine_account(account, {name: "write"})
    return Workplace(bitwarden, account, token, name, project, log_in(bitwarden, token))
