"""What the agent and its workers have passed on is not to be read in their memory afterwards."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

import pytest

from sandbox.places import PLUGINS
from scenes.leaks.search import Search
from scenes.processes import core_limit, memory
from scenes.vault.scene import VaultScene, until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

HANDED_TO_NOBODY = ("1", "1")
"""The kernel's sign for it: a limit of 0 does not hold where `core_pattern` begins with a pipe."""


def use(vault: VaultScene) -> list[str]:
    """Values that went through the agent in every way there is."""
    values = [secrets.token_urlsafe(30) for _ in range(24)]
    client, project = vault.client, vault.workplace.project
    ids = [vault.put(f"by hand {number}", value) for number, value in enumerate(values[:8])]
    for number, value in enumerate(values[8:16]):
        made = client.create_secret(key=f"key {number}", value=value, note="", project_id=project)
        ids.append(made.id)
    client.get_secrets(ids)
    for secret_id, value in zip(ids, values[16:], strict=False):
        assert client.get_secret(secret_id).value in values
        client.update_secret(secret_id, key="key", value=value, note="", project_id=project)
    client.get_secrets(ids)
    return values


def leaves(vault: VaultScene, values: list[str]) -> Iterator[str]:
    """Where in the two processes a value is left, and in how many pieces."""
    token = vault.settings.token.text
    for name, pid in (("agent", vault.agent()), *(("worker", pid) for pid in vault.workers())):
        regions = list(memory(pid))
        assert any(token.encode() in data for _, data in regions), "memory is not read"
        searched = Search(values)
        yield from (f"{name}, {leak}" for where, data in regions for leak in searched.bytes(where, data))


def is_left_nowhere(vault: VaultScene, value: str) -> bool:
    return not set(leaves(vault, [value]))


def take_the_workers_away(vault: VaultScene) -> None:
    """The next request has a new one."""
    earlier = set(vault.workers())
    for pid in earlier:
        os.kill(pid, signal.SIGKILL)
    until(lambda: earlier.isdisjoint(vault.workers()), "the agent has noticed")


def test_no_value_is_left_in_agent_or_workers(vault: VaultScene) -> None:
    """Freed memory is overwritten, and nothing of the last order is kept while the next is waited for."""
    values = use(vault)
    left = set(leaves(vault, values))
    assert left == set()


def test_a_fresh_worker_leaves_none_on_its_stack(vault: VaultScene) -> None:
    """A function bound at its first call has the registers saved there, with what they copied last."""
    vault.client.list_projects()
    for _ in range(12):
        take_the_workers_away(vault)
        value = secrets.token_urlsafe(150)
        vault.client.get_secret(vault.put(secrets.token_hex(8), value))
        until(partial(is_left_nowhere, vault, value), "nothing is left", within=2)


def test_a_value_that_was_looked_up_is_gone_after_its_life(vault: VaultScene) -> None:
    """Also where nobody asks for it, or for anything else, ever again."""
    value = secrets.token_urlsafe(30)
    vault.put("a key", value)
    vault.client_with(cache_life=2.0).find_secret("a key")
    assert any(leak.startswith("agent") for leak in leaves(vault, [value])), "it was not remembered"
    until(partial(is_left_nowhere, vault, value), "it is forgotten", within=20)


def test_neither_leaves_a_core_file(vault: VaultScene) -> None:
    """However one of them dies; nor is the program given one with which a host collects them."""
    vault.client.list_projects()
    for pid in (vault.agent(), *vault.workers()):
        assert core_limit(pid) == HANDED_TO_NOBODY


def test_a_host_that_allows_no_core_file_at_all_is_no_trouble() -> None:
    """Who is not root cannot raise a limit again, not even by the one byte."""
    code = (
        "import os, resource; from bitwarden_vault.worker_process import leave_no_core_file; "
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.geteuid() or os.setuid(65534); "
        "leave_no_core_file(); print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    environ = {"PYTHONPATH": str(PLUGINS)}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert said.stdout == "(0, 0)\n"


def test_a_service_keeps_as_little(vault: VaultScene) -> None:
    """Whoever starts it need not know how memory comes to be overwritten."""
    command = [sys.executable, "-m", "bitwarden_vault", "agent", "--serve"]
    environ = {**vault.environ, "PYTHONPATH": str(PLUGINS), "PATH": os.defpath}
    with subprocess.Popen(command, env=environ, cwd=vault.directory) as service:
        try:
            until(lambda: bool(vault.client.status()["running"]), "the service is up")
            values = use(vault)
            assert vault.agent() == service.pid
            left = set(leaves(vault, values))
            assert left == set()
        finally:
            service.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("name", ["agent", "worker"])
def test_arguments_and_environment_hold_no_token(vault: VaultScene, name: str) -> None:
    """Both can be read by whoever may read /proc."""
    vault.client.list_projects()
    pid = vault.agent() if name == "agent" else vault.workers()[0]
    searched = Search([*vault.settings.token.text.split(".", 2)[2].split(":")])
    for kind in ("cmdline", "environ"):
        with open(f"/proc/{pid}/{kind}", "rb") as file:  # noqa: PTH123 - not a file of ours
            data = file.read()
        assert data
        assert not searched.bytes(kind, data)
