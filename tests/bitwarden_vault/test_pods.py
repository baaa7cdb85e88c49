"""Many first users at once: tasks of one host, and fresh pods behind one address with the cloud's limits on.

The cloud takes ten logins a minute from one address, five in a second. `make pods` plays it with forty pods.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from sandbox.bitwarden import Fault
from sandbox.places import PLUGINS
from scenes.vault.pods import Found, look_up_at_once
from scenes.vault.scene import VaultScene, until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

WAREHOUSE = "postgres://etl:pw@db/warehouse"
LOGIN = "/identity/connect/token"


@pytest.fixture
def limited(vault: VaultScene) -> VaultScene:
    """With the connection `warehouse`, and the limits of Bitwarden's cloud."""
    vault.put("airflow/connections/warehouse", WAREHOUSE)
    vault.workplace.bitwarden.rate_limits(True)  # noqa: FBT003 - reads as a switch
    return vault


def _ordinary(vault: VaultScene) -> dict[str, str]:
    """The scene's environment, with the product's own deadline and patience."""
    shortened = {"BITWARDEN_DEADLINE", "BITWARDEN_PATIENCE"}
    return {name: text for name, text in vault.environ.items() if name not in shortened}


@contextmanager
def _pods(vault: VaultScene, count: int, **more: str) -> Iterator[list[dict[str, str]]]:
    """Environments that share nothing but what is in `more`; their agents end with them."""
    pods = [
        _ordinary(vault) | {"BITWARDEN_SOCKET_DIR": str(vault.directory / f"pod-{number}")} | more
        for number in range(count)
    ]
    try:
        yield pods
    finally:
        for pod in pods:
            VaultClient(read_settings(pod)).stop()


def _statuses(vault: VaultScene, path: str = "") -> list[int | None]:
    return [line.status for line in vault.workplace.bitwarden.requests() if path in line.path]


def _all_have_it(found: list[Found], count: int) -> None:
    assert [(one.login, one.error) for one in found] == [("etl", "")] * count


def test_64_first_users_of_one_host_are_one_agent_one_login_and_one_read(limited: VaultScene) -> None:
    """However many task processes begin at once, each with the backend that Airflow would make."""
    _all_have_it(look_up_at_once([_ordinary(limited)] * 64, "warehouse"), 64)
    assert limited.client.status()["requests"] == {"log_in": 1, "list_secrets": 1, "get_secret": 1}
    assert set(_statuses(limited)) == {200}


def test_40_fresh_pods_of_a_node_with_an_agent_are_one_login(limited: VaultScene) -> None:
    """FIELD B6, as documented: the agent is a service of the node, and pods share its directory."""
    command = [sys.executable, "-m", "bitwarden_vault", "agent", "--serve"]
    environ = {**_ordinary(limited), "PYTHONPATH": str(PLUGINS), "PATH": os.defpath}
    with subprocess.Popen(command, env=environ) as service:
        until(lambda: bool(limited.client.status()["running"]), "the service comes up")
        _all_have_it(look_up_at_once([_ordinary(limited)] * 40, "warehouse"), 40)
        assert limited.agent() == service.pid
        service.terminate()
    assert _statuses(limited, LOGIN) == [200]
    assert set(_statuses(limited)) == {200}


def test_pods_that_share_nothing_wait_until_bitwarden_takes_their_logins(limited: VaultScene) -> None:
    """FIELD B6: each logs in for itself; who is told to slow down does, and nobody is told "not defined"."""
    slow_down = '{"message":"Slow down! Too many requests. Try again in 1s."}'
    limited.workplace.bitwarden.fault(Fault("answer", path=LOGIN, status=429, body=slow_down, times=2))
    with _pods(limited, 7) as pods:  # with the two that are refused nine logins: within a minute's ten
        _all_have_it(look_up_at_once(pods, "warehouse"), 7)
    statuses = _statuses(limited, LOGIN)
    assert statuses.count(200) == 7
    assert statuses.count(429) >= 2


def test_pods_that_share_the_logins_directory_go_on_with_the_login_that_they_find(
    limited: VaultScene, tmp_path: Path
) -> None:
    """Pods that begin later make none; those that begin at once with the first may make one each."""
    with _pods(limited, 8, BITWARDEN_STATE_DIR=str(tmp_path)) as pods:
        _all_have_it(look_up_at_once(pods[:1], "warehouse"), 1)
        _all_have_it(look_up_at_once(pods[1:], "warehouse"), 7)
    assert _statuses(limited, LOGIN) == [200]


def test_pods_that_share_the_logins_directory_and_begin_at_once_do_not_spoil_it(
    limited: VaultScene, tmp_path: Path
) -> None:
    """All write the same file at the same time; each of them gets its connection."""
    with _pods(limited, 8, BITWARDEN_STATE_DIR=str(tmp_path)) as pods:
        _all_have_it(look_up_at_once(pods, "warehouse"), 8)
