"""What happens on a bad day: silence, lost answers, killed workers, and callers that leave."""

import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bitwarden_vault.agent_socket import socket_path
from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import (
    AgentUnavailable,
    NoAnswerInTime,
    OutcomeUnknown,
    Unreachable,
)
from bitwarden_vault.wire import pack
from sandbox.bitwarden import Fault
from scenes.vault.scene import VaultScene, is_alive, until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]


def _busy(vault: VaultScene, verb: str, count: int = 1) -> None:
    """Wait until the server has this many requests that it does not answer."""

    def seen() -> bool:
        return sum(line.verb == verb and line.fault is not None for line in requests()) >= count

    requests = vault.workplace.bitwarden.requests
    until(seen, "the request arrives")


@pytest.mark.alone
def test_silence_ends_at_the_deadline_and_others_are_served_meanwhile(vault: VaultScene) -> None:
    """The hung worker is killed and replaced; the SDK itself would wait for ever."""
    stuck, fine = vault.put("stuck"), vault.put("fine")
    vault.client.get_secret(fine)
    vault.workplace.bitwarden.fault(Fault("hang", verb="GET", path=f"/api/secrets/{stuck}"))
    with ThreadPoolExecutor() as pool:
        begun = time.monotonic()
        waiting = pool.submit(vault.client_with(deadline=1.5).get_secret, stuck)
        _busy(vault, "GET")
        hung = set(vault.workers())
        assert vault.client.get_secret(fine).key == "fine"
        assert not waiting.done()
        with pytest.raises(NoAnswerInTime, match=r"1\.5 s"):
            waiting.result()
    assert 1.5 <= time.monotonic() - begun < 3.0
    assert hung - set(vault.workers())
    until(lambda: not all(is_alive(pid) for pid in hung), "the process that was killed is gone")
    assert vault.client.get_secret(fine).key == "fine"


@pytest.mark.parametrize("does", ["hang", "hang_after_commit"])
def test_a_write_that_is_met_by_silence_has_an_unknown_outcome(vault: VaultScene, does: str) -> None:
    """Only reading back tells, and nothing is sent twice."""
    made, project = vault.put(value="old"), vault.workplace.project
    vault.workplace.bitwarden.fault(Fault(does, verb="PUT"))  # type: ignore[arg-type]  # one of its words
    with pytest.raises(OutcomeUnknown):
        vault.client_with(deadline=0.5).update_secret(made, key="k", value="new", note="", project_id=project)
    assert vault.client.get_secret(made).value == ("old" if does == "hang" else "new")
    assert vault.client.status()["requests"] == {"log_in": 1, "update_secret": 1, "get_secret": 1}


@pytest.mark.parametrize("does", ["drop", "drop_after_commit", "cut_answer", "commit_late"])
def test_a_write_whose_answer_is_lost_is_never_sent_again(vault: VaultScene, does: str) -> None:
    """A second create would be a duplicate."""
    vault.client.list_projects()
    vault.workplace.bitwarden.fault(Fault(does, verb="POST", path="/api/*", seconds=0.1))  # type: ignore[arg-type]  # one of its words
    with pytest.raises(OutcomeUnknown):
        vault.client.create_secret(key="k", value="v", note="", project_id=vault.workplace.project)
    creates = [line for line in vault.workplace.bitwarden.requests() if line.path.endswith("/secrets")]
    assert len(creates) == 1


def test_a_read_whose_answer_is_lost_is_sent_again(vault: VaultScene) -> None:
    """A few times, at once."""
    made = vault.put(value="kept")
    vault.workplace.bitwarden.fault(Fault("drop", verb="GET", path="/api/secrets/*", times=2))
    assert vault.client.get_secret(made).value == "kept"
    vault.workplace.bitwarden.fault(Fault("answer", verb="GET", path="/api/secrets/*", status=500))
    with pytest.raises(Unreachable, match="500"):
        vault.client.get_secret(made)


def test_a_worker_killed_in_a_write_leaves_an_unknown_outcome(vault: VaultScene) -> None:
    """And the next request finds another worker."""
    made, project = vault.put(value="old"), vault.workplace.project
    vault.client.get_secret(made)
    vault.workplace.bitwarden.fault(Fault("hang", verb="PUT", path="/api/secrets/*"))
    with ThreadPoolExecutor() as pool:
        write = pool.submit(
            vault.client.update_secret, made, key="k", value="new", note="", project_id=project
        )
        _busy(vault, "PUT")
        for pid in vault.workers():
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(OutcomeUnknown, match="died"):
            write.result()
    assert vault.client.get_secret(made).value == "old"


def test_an_agent_killed_in_a_write_leaves_an_unknown_outcome(vault: VaultScene) -> None:
    """It had told that the write was being sent."""
    made, project = vault.put(value="old"), vault.workplace.project
    vault.client.get_secret(made)
    vault.workplace.bitwarden.fault(Fault("slow_commit", verb="PUT", path="/api/secrets/*", seconds=0.5))
    with ThreadPoolExecutor() as pool:
        write = pool.submit(
            vault.client.update_secret, made, key="k", value="new", note="", project_id=project
        )
        time.sleep(0.2)
        os.kill(vault.agent(), signal.SIGKILL)
        with pytest.raises(OutcomeUnknown, match="read back"):
            write.result()
    until(lambda: vault.client.get_secret(made).value == "new", "the write lands all the same")


def test_a_hung_worker_ends_by_itself_where_its_agent_is_gone(vault: VaultScene) -> None:
    """The SDK holds the interpreter, so that only the kernel's own timer can end it."""
    made = vault.put()
    vault.client.list_projects()
    vault.workplace.bitwarden.fault(Fault("hang", verb="GET", path="/api/secrets/*"))
    with ThreadPoolExecutor() as pool:
        read = pool.submit(vault.client_with(deadline=0.7, patience=1.0).get_secret, made)
        _busy(vault, "GET")
        agent, workers = vault.agent(), vault.workers()
        vault.workplace.bitwarden.clear_faults()
        os.kill(agent, signal.SIGKILL)
        until(lambda: not any(map(is_alive, workers)), "the workers end", within=2.0)
        read.result()


def test_a_read_survives_the_death_of_its_worker_and_of_its_agent(vault: VaultScene) -> None:
    """It is asked again, of whoever comes next."""
    made = vault.put(value="kept")
    vault.client.list_projects()
    vault.workplace.bitwarden.fault(Fault("delay", verb="GET", path="/api/secrets/*", seconds=0.4))
    for whom in ("worker", "agent"):
        vault.workplace.bitwarden.clear_requests()
        with ThreadPoolExecutor() as pool:
            read = pool.submit(vault.client.get_secret, made)
            time.sleep(0.2)
            for pid in vault.workers() if whom == "worker" else [vault.agent()]:
                os.kill(pid, signal.SIGKILL)
            assert read.result().value == "kept"


def test_a_worker_that_dies_each_time_does_not_make_a_loop(vault: VaultScene) -> None:
    """A read is handed out three times."""
    made = vault.put()
    vault.client.list_projects()
    vault.workplace.bitwarden.fault(Fault("hang", verb="GET", path="/api/secrets/*"))
    with ThreadPoolExecutor() as pool:
        read = pool.submit(vault.client.get_secret, made)
        for count in (1, 2, 3):
            _busy(vault, "GET", count)
            for pid in vault.workers():
                os.kill(pid, signal.SIGKILL)
        with pytest.raises(Unreachable, match="died each time"):
            read.result()


def test_a_caller_that_leaves_takes_its_waiting_write_along(vault: VaultScene) -> None:
    """A task that was killed does not write a minute later."""
    vault.client.list_projects()
    slow_down = '{"message":"Slow down! Too many requests. Try again in 1s."}'
    vault.workplace.bitwarden.fault(Fault("answer", verb="POST", path="/api/*", status=429, body=slow_down))
    project = vault.workplace.project
    code = (
        "import threading; threading.Timer(0.5, os._exit, [0]).start()\n"
        f"client.create_secret(key='k', value='v', note='', project_id={project!r})"
    )
    vault.run(code)
    vault.workplace.bitwarden.clear_faults()
    time.sleep(1.6)
    assert vault.client.status()["waiting"] == 0
    assert vault.workplace.stored() == []


class _Interrupted(BaseException):
    """As Airflow's timeout, which comes out of a signal handler."""


def test_an_interrupted_call_does_not_leave_its_answer_to_the_next(vault: VaultScene) -> None:
    """A kept connection once answered with another secret's value."""
    slow, other = vault.put("slow", "SLOW"), vault.put("other", "OTHER")
    client = vault.client
    client.list_projects()
    vault.workplace.bitwarden.fault(Fault("delay", verb="GET", path=f"/api/secrets/{slow}", seconds=0.6))

    def interrupt(_number: int, _frame: object) -> None:
        raise _Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(_Interrupted):
            client.get_secret(slow)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert [client.get_secret(other).value for _ in range(3)] == ["OTHER"] * 3


def test_stopping_waits_for_a_write_that_is_under_way(vault: VaultScene) -> None:
    """And whoever only waited is served by the next agent."""
    made, project = vault.put(value="old"), vault.workplace.project
    vault.client.get_secret(made)
    vault.workplace.bitwarden.fault(Fault("slow_answer", verb="PUT", path="/api/secrets/*", seconds=0.5))
    with ThreadPoolExecutor() as pool:
        write = pool.submit(
            vault.client.update_secret, made, key="k", value="new", note="", project_id=project
        )
        time.sleep(0.2)
        agent = vault.agent()
        vault.client.stop()
        assert write.result().value == "new"
    until(lambda: not is_alive(agent), "the agent ends", within=0.1)


def test_an_agent_is_safe_from_strangers_words(vault: VaultScene) -> None:
    """Garbage on its socket ends that connection, not the agent."""
    vault.client.list_projects()
    agent = vault.agent()
    for words in (b"\xff\xff\xff\xff", b"\0\0\0\x02[]", pack({"id": "1"}), pack({"operation": "get_secret"})):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(socket_path(vault.settings))
            stranger.sendall(words)
            stranger.settimeout(2)
            assert stranger.recv(100) == b""
    vault.client.list_projects()
    assert vault.agent() == agent


def test_threads_of_one_process_do_not_wait_for_each_other(vault: VaultScene) -> None:
    """The client holds no lock and no GIL while the SDK waits."""
    slow = vault.put("slow")
    vault.client.list_projects()
    vault.workplace.bitwarden.fault(Fault("delay", verb="GET", path="/api/secrets/*", seconds=2.0))
    thread = threading.Thread(target=VaultClient.get_secret, args=(vault.client, slow))
    thread.start()
    vault.client.list_projects()
    assert thread.is_alive()
    thread.join()


def test_nobody_is_asked_when_the_socket_belongs_to_somebody_else(
    vault: VaultScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token's requests go to our own processes only."""
    vault.client.list_projects()
    with monkeypatch.context() as patched:
        patched.setattr("bitwarden_vault.call.peer_uid", lambda _sock: os.geteuid() + 1)
        with pytest.raises(AgentUnavailable, match="somebody else"):
            vault.client.list_projects()
