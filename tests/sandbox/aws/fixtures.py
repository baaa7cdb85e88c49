"""pytest fixtures: one account for the whole run, wiped clean of faults and lag for every test.

A test module asks for them with `pytest_plugins = ["sandbox.aws.fixtures"]`. Tests do not meet: each has
users of its own.
"""

import os
from collections.abc import Iterator

import pytest

from sandbox.aws.sdk import NewCaller
from sandbox.aws.stand_in import AwsStandIn


@pytest.fixture(scope="session")
def shared_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsStandIn]:
    """The account of this run."""
    with AwsStandIn(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@pytest.fixture
def aws(shared_aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch) -> AwsStandIn:
    """The account as it is when nothing is wrong, and a machine without settings for AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    shared_aws.calm_down()
    return shared_aws


@pytest.fixture
def caller(aws: AwsStandIn) -> NewCaller:
    """Makes users, each with one key."""
    return NewCaller(aws)
