"""An agent comes up when it is needed, once, belongs to nobody, and is replaced when it is gone."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from venv import EnvBuilder

import pytest

from bitwarden_vault.agent_socket import socket_path
from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import AgentUnavailable, Misconfigured
from sandbox.places import PLUGINS
from scenes.vault.scene import VaultScene, is_alive, until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]


def test_the_first_request_starts_an_agent_and_the_next_find_it(vault: VaultScene) -> None:
    """One agent, one login, whatever the number of clients."""
    assert vault.client.status() == {"running": False}
    vault.put("a key")
    assert [secret.key for secret in vault.client.list_secrets()] == ["a key"]
    agent = vault.agent()
    vault.client.list_secrets()
    assert (vault.agent(), vault.logins()) == (agent, 1)


def test_many_processes_at_once_get_one_agent_and_one_login(vault: VaultScene) -> None:
    """Whoever loses the race for the start uses the winner's agent."""
    said = vault.run("client.list_projects(); print(client.status()['pid'])", count=8)
    assert set(said) == {str(vault.agent())}
    assert vault.logins() == 1
    assert vault.client.status()["requests"] == {"log_in": 1, "list_projects": 8}


def test_a_thousand_callers_at_once_get_one_agent(vault: VaultScene) -> None:
    """None is refused, none starts a second agent."""

    def call(_number: int) -> int:
        client = vault.client
        client.list_projects()
        return int(str(client.status()["pid"]))

    with ThreadPoolExecutor(200) as pool:
        assert set(pool.map(call, range(1000))) == {vault.agent()}
    assert vault.logins() == 1


def test_a_killed_agent_is_replaced_by_the_next_call(vault: VaultScene) -> None:
    """Its socket is still there, and leads nowhere; its workers end with it."""
    vault.client.list_projects()
    agent, workers = vault.agent(), vault.workers()
    os.kill(agent, signal.SIGKILL)
    until(lambda: not is_alive(agent), "the agent is dead")
    assert Path(socket_path(vault.settings)).is_socket()
    vault.client.list_projects()
    assert vault.agent() != agent
    until(lambda: not any(map(is_alive, workers)), "the workers end with their agent")


def test_what_a_dead_starter_left_is_mended(vault: VaultScene) -> None:
    """A socket under the temporary name, a stale one under the real name, and a lock file."""
    path = socket_path(vault.settings)
    for name in (path, f"{path}.new"):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(name)
    Path(f"{path}.lock").touch(0o600)
    vault.client.list_projects()
    assert vault.client.status()["running"]


def test_a_starter_that_sticks_is_waited_for_with_a_limit(
    vault: VaultScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the lock and does nothing: the error names the lock."""
    monkeypatch.setattr("bitwarden_vault.call._START_WITHIN", 0.3)
    path = socket_path(vault.settings)
    code = f"""
import fcntl, sys, time
lock = open({path + ".lock"!r}, "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(30)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(AgentUnavailable, match=r"\.lock"):
            vault.client.list_projects()
        holder.kill()
    vault.client.list_projects()


def test_an_agent_whose_socket_was_removed_leaves(vault: VaultScene) -> None:
    """A cleaner of /tmp took it: the next call starts another one, and the first has nothing to live for."""
    vault.client.list_projects()
    agent = vault.agent()
    Path(socket_path(vault.settings)).unlink()
    vault.client.list_projects()
    assert vault.agent() != agent
    os.kill(agent, signal.SIGTERM)  # it looks every 30 s; the signal only makes it look now
    until(lambda: not is_alive(agent), "the first agent leaves")
    vault.client.list_projects()


def test_an_agent_that_nobody_asks_leaves(vault: VaultScene) -> None:
    """With its socket and its workers."""
    vault.client_with(idle_exit=0.5).list_projects()
    until(lambda: not vault.processes(), "the idle agent leaves", within=4.0)
    assert not Path(socket_path(vault.settings)).exists()


def test_an_older_agent_makes_room_for_a_newer_client(
    vault: VaultScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an update of the package; an older client goes on using the newer agent."""
    vault.client.list_projects()
    agent = vault.agent()
    newer = time.time_ns() + 10**9
    monkeypatch.setattr("bitwarden_vault.call.build", lambda: newer)
    monkeypatch.setattr("bitwarden_vault.start.build", lambda: newer)
    vault.client.list_projects()
    monkeypatch.undo()
    replaced = vault.agent()
    assert replaced != agent
    until(lambda: not is_alive(agent), "the older agent leaves")
    vault.client.list_projects()
    assert vault.agent() == replaced


def test_other_settings_are_another_agent(vault: VaultScene) -> None:
    """A second token of the same account does not use the first one's login."""
    bitwarden = vault.workplace.bitwarden
    second = vault.run(
        f"os.environ['BWS_ACCESS_TOKEN'] = {bitwarden.create_token(vault.workplace.account)!r}\n"
        "client = VaultClient(read_settings(os.environ))\n"
        "client.list_projects(); print(client.status()['pid']); client.stop()"
    )
    vault.client.list_projects()
    assert second != [str(vault.agent())]


TASK = """
for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
os.umask(0)
kept = os.open("/dev/null", os.O_RDONLY)
os.set_inheritable(kept, True)
os.dup2(kept, 77, inheritable=True)
client.list_projects()
print(client.status()["pid"], os.getpid(), os.getsid(0), flush=True)
"""


def test_an_agent_inherits_nothing_of_the_task_that_started_it(vault: VaultScene) -> None:
    """Session, parent, descriptors, directory, umask and signals are its own; the environment is bare."""
    (said,) = vault.run(TASK)
    agent, task, session = map(int, said.split())
    folder = Path(f"/proc/{agent}")
    stat = (folder / "stat").read_text().rpartition(")")[2].split()
    status = dict(
        line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line
    )
    assert int(stat[1]) != task
    assert int(stat[3]) != session
    assert int(stat[4]) == 0  # no terminal
    assert (folder / "cwd").readlink() == Path("/")
    assert int(status["Umask"], 8) == 0o077
    assert int(status["SigBlk"], 16) == 0
    ignored = {number for number in signal.Signals if int(status["SigIgn"], 16) & 1 << (number - 1)}
    assert ignored == {signal.SIGPIPE, signal.SIGXFSZ}  # as Python always does
    opened = {int(link.name): str(link.readlink()) for link in (folder / "fd").iterdir()}
    assert 77 not in opened
    assert opened[0] == opened[1] == os.devnull
    assert opened[2].endswith(".log")
    names = {entry.split(b"=")[0] for entry in (folder / "environ").read_bytes().split(b"\0") if entry}
    ours = {
        b"PYTHONMALLOC",
        b"GLIBC_TUNABLES",
        b"LD_BIND_NOW",
        b"glibc.malloc.tcache_count",
    }  # glibc cuts it up where it lies
    assert names <= {b"PATH", b"HOME", b"LANG", b"LC_ALL", b"LC_CTYPE", b"PYTHONPATH", *ours}


def test_an_agent_outlives_the_group_of_the_task_that_started_it(vault: VaultScene) -> None:
    """As when a task is marked failed: its whole process group is killed."""
    code = "os.setpgid(0, 0); client.list_projects(); print(client.status()['pid'], flush=True); "
    (said,) = vault.run(code + "os.killpg(0, signal.SIGKILL)")
    assert is_alive(int(said))
    assert vault.agent() == int(said)


def test_a_task_has_no_child_left_after_it_started_an_agent(vault: VaultScene) -> None:
    """Neither running nor as a zombie."""
    code = (
        "client.list_projects()\ntry:\n os.waitpid(-1, os.WNOHANG)\nexcept ChildProcessError:\n print('none')"
    )
    assert vault.run(code) == ["none"]


def test_the_token_shows_in_no_process(vault: VaultScene) -> None:
    """Neither whole nor its secret parts, in arguments or environment of agent and workers."""
    vault.client.list_projects()
    _, _, rest = vault.settings.token.text.split(".")
    secret, seed = rest.split(":")
    processes = vault.processes()
    assert {vault.agent(), *vault.workers()} <= processes
    for pid in processes:
        shown = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
        assert secret.encode() not in shown
        assert seed.encode() not in shown


def test_the_socket_is_for_its_owner_only(vault: VaultScene) -> None:
    """So are directory, lock and log."""
    vault.client.list_projects()
    modes = {path.name: path.stat().st_mode & 0o777 for path in vault.directory.iterdir()}
    assert set(modes.values()) == {0o600}
    assert vault.directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("how", ["stop", "SIGTERM", "SIGINT"])
def test_an_agent_that_is_told_to_leave_leaves_nothing(vault: VaultScene, how: str) -> None:
    """Stopping what is not there is fine."""
    vault.client.list_projects()
    if how == "stop":
        vault.client.stop()
        assert vault.client.status() == {"running": False}
    else:
        os.kill(vault.agent(), signal.Signals[how])
    until(lambda: not vault.processes(), "all processes end")
    assert not Path(socket_path(vault.settings)).exists()
    vault.client.stop()


def test_an_agent_that_is_stopped_by_a_signal_is_said_to_be_stuck(
    vault: VaultScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be told from a slow one for a while; then the caller gets an error instead of hanging."""
    vault.client.list_projects()
    agent = vault.agent()
    monkeypatch.setattr("bitwarden_vault.call._ACCEPTS_WITHIN", 0.3)
    os.kill(agent, signal.SIGSTOP)
    try:
        with pytest.raises(AgentUnavailable, match="does not answer"):
            vault.client.list_projects()
    finally:
        os.kill(agent, signal.SIGCONT)
    vault.client.list_projects()


WRONG_INTERPRETERS = {
    "is not there": ("/no/such/python", Misconfigured, "BITWARDEN_PYTHON"),
    "ends at once": ("/bin/false", AgentUnavailable, "see .*log"),
}


@pytest.mark.parametrize(
    ("python", "error", "said"), WRONG_INTERPRETERS.values(), ids=WRONG_INTERPRETERS.keys()
)
def test_an_interpreter_that_cannot_work_is_named(
    vault: VaultScene, python: str, error: type[Exception], said: str
) -> None:
    """And nothing is left."""
    with pytest.raises(error, match=said):
        vault.client_with(python=python).list_projects()


def test_an_interpreter_without_the_sdk_is_named(vault: VaultScene, tmp_path: Path) -> None:
    """The remedy is the command to run, and the agent does not die of it."""
    EnvBuilder(with_pip=False).create(tmp_path)
    client = vault.client_with(python=str(tmp_path / "bin" / "python"))
    with pytest.raises(Misconfigured, match="pip install bitwarden-sdk"):
        client.list_projects()
    assert client.status()["running"]
    client.stop()


def test_serving_in_the_foreground_is_the_same_agent(vault: VaultScene) -> None:
    """As a service: clients find it, a second one is refused, a signal ends it."""
    command = [sys.executable, "-m", "bitwarden_vault", "agent"]
    environ = {**vault.environ, "PYTHONPATH": str(PLUGINS), "PATH": os.defpath}
    with subprocess.Popen([*command, "--serve"], env=environ, stderr=subprocess.PIPE) as service:
        until(lambda: bool(vault.client.status()["running"]), "the service comes up")
        vault.client.list_projects()
        assert vault.agent() == service.pid
        for pid in vault.workers():
            assert b"BWS_" not in Path(f"/proc/{pid}/environ").read_bytes()
        second = subprocess.run(
            [*command, "--serve"], env=environ, capture_output=True, check=False, text=True
        )
        assert (second.returncode, "is running" in second.stderr) == (2, True)
        shown = subprocess.run([*command, "--json"], env=environ, capture_output=True, check=True, text=True)
        assert f'"pid": {service.pid}' in shown.stdout
        service.send_signal(signal.SIGINT)
        _, errors = service.communicate(timeout=5)
    assert (service.returncode, errors) == (0, b"")
    assert VaultClient(vault.settings).status() == {"running": False}
