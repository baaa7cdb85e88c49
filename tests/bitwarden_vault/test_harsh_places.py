"""FIELD D6: the agent in a pod as strict as Kubernetes has them: nothing to write to, a uid without a name.

In user and mount namespaces of the kernel; each test says so where it may not make them.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sandbox.places import PLUGINS
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

UID = 54321
LOOK_UP = """
import os, pwd
from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import VaultError
from bitwarden_vault.settings import read_settings
client = VaultClient(read_settings(os.environ))
try:
    pwd.getpwuid(os.geteuid())
    print("this uid has a name")
except KeyError:
    print("uid", os.geteuid())
for folder in ("/tmp", "/var/tmp", os.getcwd()):
    try:
        open(f"{folder}/bwv-writable", "w").close()
        print(folder, "can be written to")
    except OSError:
        pass
try:
    print(client.find_secret("k").value)
    print(client.status()["pid"] > 0)
    client.stop()
except VaultError as wrong:
    print(type(wrong).__name__, wrong.message)
"""
_READ_ONLY = "mount -o remount,bind,ro /; mount -t tmpfs -o ro tmpfs /dev/shm; "


@pytest.fixture
def namespaces() -> None:
    """Skipped, and said, where the kernel or a container does not allow them."""
    tried = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],  # noqa: S607 - wherever it is
        check=False,
        capture_output=True,
        text=True,
    )
    if tried.returncode:
        pytest.skip(f"no user and mount namespaces here: {tried.stderr.strip()}")


def _in_a_pod(vault: VaultScene, prepare: str, **more: str) -> list[str]:
    """What a lookup prints where this was done to the file system before."""
    script = f'set -e; {prepare}; exec unshare --user --map-user={UID} "$0" -c "$1"'
    environ = {name: text for name, text in (vault.environ | more).items() if text}
    ended = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, sys.executable, LOOK_UP],  # noqa: S607 - as above
        env={**environ, "PYTHONPATH": str(PLUGINS), "PATH": os.defpath},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=30,
        text=True,
        cwd="/",
    )
    return ended.stdout.splitlines()


def _tiny(vault: VaultScene, options: str) -> str:
    return f"{_READ_ONLY} mount -t tmpfs -o mode=700,{options} tmpfs {vault.directory}"


@pytest.mark.usefixtures("namespaces")
def test_a_few_kilobytes_for_the_socket_are_enough(vault: VaultScene) -> None:
    """All else read-only, nothing there may be executed, and the uid is in no passwd file."""
    vault.put("k", "found")
    uid, found, running = _in_a_pod(vault, _tiny(vault, "size=16k,noexec,nosuid,nodev"))
    assert (uid, found, running) == (f"uid {UID}", "found", "True")


@pytest.mark.usefixtures("namespaces")
def test_a_full_folder_for_the_socket_does_no_harm(vault: VaultScene) -> None:
    """A socket takes no room; the agent's log stays empty."""
    vault.put("k", "found")
    fill = f"; head -c 1M /dev/zero > {vault.directory}/fill 2>/dev/null || true"
    _, found, running = _in_a_pod(vault, _tiny(vault, "size=16k") + fill)
    assert (found, running) == ("found", "True")


@pytest.mark.usefixtures("namespaces")
def test_a_folder_without_room_for_another_name_is_told(vault: VaultScene) -> None:
    """With the path, and what the system says."""
    _, said = _in_a_pod(vault, _tiny(vault, "nr_inodes=1"))
    assert said.startswith("AgentUnavailable")
    assert str(vault.directory) in said
    assert "No space left" in said


@pytest.mark.usefixtures("namespaces")
def test_without_any_folder_to_write_to_the_remedy_is_told(vault: VaultScene) -> None:
    """Both places that were tried, and the setting."""
    _, said = _in_a_pod(vault, _READ_ONLY + "true", BITWARDEN_SOCKET_DIR="")
    assert said.startswith("AgentUnavailable no place for the agent's socket; set BITWARDEN_SOCKET_DIR")
    assert f"/tmp/bwv-{UID}" in said  # noqa: S108 - a text in a message
    assert "Read-only" in said


@pytest.mark.usefixtures("namespaces")
def test_where_tmp_is_read_only_memory_takes_the_socket(vault: VaultScene) -> None:
    """Nobody has to configure anything."""
    vault.put("k", "found")
    shm = "mount -o remount,bind,ro /; mount -t tmpfs -o mode=1777 tmpfs /dev/shm"
    assert _in_a_pod(vault, shm, BITWARDEN_SOCKET_DIR="")[1:] == ["found", "True"]
