"""Who holds which version of what is known to others while its process lives, and costs nobody time."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from bitwarden_vault.client import FEW, VaultClient
from bitwarden_vault.nouns import Caller
from scenes.held import held
from scenes.readers.living import Share, documents, note, readers, reading_process, until_read_by
from scenes.vault.scene import is_alive, until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures", "scenes.readers.fixtures"]

TASK = {"dag_id": "nightly_load", "task_id": "load", "run_id": "manual__1", "try_number": 2}


def test_a_task_that_read_a_version_is_named_until_it_ends(share: Share, tmp_path: Path) -> None:
    """With host, process, task, secret and version, and never a value; then the document goes."""
    scene = share(tmp_path)
    made = scene.put("warehouse", "the-value", note(3))
    with reading_process(scene.environ, **TASK) as task:
        task.read("warehouse")
        [reader] = until_read_by(tmp_path, {task.pid})
        assert (reader.secret, reader.key, reader.project) == (made, "warehouse", scene.workplace.project)
        assert (reader.version, reader.newest) == (3, 3)
        assert (reader.dag, reader.task, reader.run, reader.try_number) == (
            "nightly_load",
            "load",
            "manual__1",
            2,
        )
        assert all(b"the-value" not in path.read_bytes() for path in documents(tmp_path))
    until(lambda: not documents(tmp_path), "its document is gone", within=25.0)


def test_a_process_outside_any_task_keeps_its_oldest_version(share: Share, tmp_path: Path) -> None:
    """B9: what it read first it may have kept, whatever it reads later; so may a task."""
    scene = share(tmp_path)
    made = scene.put("logs", "one", note(3))
    with reading_process(scene.environ) as worker:
        worker.read("logs")
        until_read_by(tmp_path, {worker.pid})
        scene.workplace.bitwarden.edit_secret(made, value="two", note=note(4))
        worker.read("logs")
        until(lambda: readers(tmp_path)[0].newest == 4, "the later version is seen", within=25.0)
        [reader] = readers(tmp_path)
        assert (reader.version, reader.dag, reader.task) == (3, "", "")


def test_where_nothing_is_rotated_only_who_reads_a_version_is_kept(share: Share, tmp_path: Path) -> None:
    """And not who says that it keeps nothing; no folder is made for them."""
    scene = share(Path(), ROTATION_STATE_PATH="", AIRFLOW_HOME=str(tmp_path))
    scene.put("plain", "v")
    scene.put("torn", "v", note("x"))
    scene.put("versioned", "v", note(1))
    for key in ("plain", "torn"):
        scene.client.find_secret(key)
    VaultClient(scene.settings, Caller(keeps_nothing=True)).find_secret("versioned")
    assert scene.client.status()["readers"] == 0
    scene.client.find_secret("versioned")
    assert scene.client.status()["readers"] == 1
    scene.client.stop()
    assert len(readers(tmp_path / "credential_rotation_state")) == 1


@pytest.mark.parametrize("said", ["ROTATION_JOURNAL_PROJECT", "ROTATION_STATE_PATH"])
def test_where_values_are_rotated_who_reads_one_that_never_was_is_kept_too(
    share: Share, tmp_path: Path, said: str
) -> None:
    """B9: its first rotation has to wait for them, and they may have read it long before."""
    state = tmp_path / "credential_rotation_state"
    told = {"ROTATION_JOURNAL_PROJECT": "journal", "ROTATION_STATE_PATH": str(state)}
    scene = share(state, **{"AIRFLOW_HOME": str(tmp_path), "ROTATION_STATE_PATH": ""} | {said: told[said]})
    made = [scene.put("plain", "v"), scene.put("torn", "v", note("x"))]
    for key in ("plain", "torn"):
        scene.client.find_secret(key)
    found = until_read_by(state, {os.getpid()})
    assert {(one.secret, one.version) for one in found} == {(one, 0) for one in made}
    assert not (state / "last-used").exists()


def test_reading_by_id_or_several_at_once_is_reading_too(share: Share, tmp_path: Path) -> None:
    scene = share(tmp_path)
    keys = {str(number) for number in range(FEW + 1)}
    ids = [scene.put(key, "v", note(7)) for key in keys]
    scene.client.get_secrets(ids)
    scene.client.get_secret(ids[0])
    assert scene.client.status()["readers"] == len(keys)
    assert {(one.key, one.version) for one in until_read_by(tmp_path, {os.getpid()})} == {
        (key, 7) for key in keys
    }


_AS_A_SERVER = """
from bitwarden_vault.backend import BitwardenSecretsBackend
print(BitwardenSecretsBackend(connections_prefix="c", projects=[os.environ["PROJECT"]]).get_conn_value("x"))
"""


@pytest.mark.parametrize("logs", ["x", "another"])
def test_a_server_that_asks_for_tasks_keeps_only_the_connection_of_the_logs(
    share: Share, tmp_path: Path, logs: str
) -> None:
    """B9: its hook for remote logs keeps the value; all else it hands on, to whom nobody knows."""
    scene = share(
        tmp_path,
        AIRFLOW_HOME=str(tmp_path),
        _AIRFLOW_PROCESS_CONTEXT="server",
        AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID=logs,
    )
    scene.environ["PROJECT"] = scene.workplace.project
    scene.put("c/x", '{"conn_type": "aws"}', note(3))
    running = _AS_A_SERVER + "client.stop()"
    assert "conn_type" in scene.run(running)[0]
    assert [one.hands_on for one in readers(tmp_path)] == [logs != "x"]


def test_a_task_whose_try_is_no_number_is_a_reader_all_the_same(share: Share, tmp_path: Path) -> None:
    """Anybody can set that variable; what a task claims besides is kept."""
    odd = {"AIRFLOW_CTX_DAG_ID": "nightly", "AIRFLOW_CTX_TRY_NUMBER": "2nd"}
    scene = share(tmp_path, AIRFLOW_HOME=str(tmp_path), PROJECT="", **odd)
    scene.environ["PROJECT"] = scene.workplace.project
    scene.put("c/x", '{"conn_type": "aws"}', note(3))
    assert "conn_type" in scene.run(_AS_A_SERVER + "client.stop()")[0]
    assert [(one.dag, one.try_number) for one in readers(tmp_path)] == [("nightly", 0)]


def test_what_a_killed_agent_knew_the_next_one_takes_over(share: Share, tmp_path: Path) -> None:
    """Those who live: of who ended meanwhile nothing is left, and of the dead agent no document."""
    scene = share(tmp_path)
    scene.put("warehouse", "v", note(3))
    with reading_process(scene.environ, **TASK) as lives:
        with reading_process(scene.environ, **TASK) as ends:
            lives.read("warehouse")
            ends.read("warehouse")
            until_read_by(tmp_path, {lives.pid, ends.pid})
            [before], agent = documents(tmp_path), scene.agent()
            os.kill(agent, signal.SIGKILL)
            until(lambda: not is_alive(agent), "the agent is dead")
        scene.client.list_projects()
        until(lambda: before not in documents(tmp_path), "its document is taken over", within=25.0)
        [reader] = until_read_by(tmp_path, {lives.pid})
        assert (reader.version, reader.task) == (3, "load")
        until(lambda: scene.client.status()["readers"] == 1, "the agent has heard of it")


def test_an_agent_that_is_told_to_leave_writes_down_who_reads(share: Share, tmp_path: Path) -> None:
    """At once, also what it had not come to publish; the next one goes on from there."""
    scene = share(tmp_path)
    scene.put("warehouse", "v", note(3))
    with reading_process(scene.environ, **TASK) as task:
        task.read("warehouse")
        scene.client.stop()
        assert [one.pid for one in readers(tmp_path)] == [task.pid]
        scene.client.list_projects()
        until(lambda: scene.client.status()["readers"] == 1, "it is taken over", within=25.0)


def test_an_agent_with_readers_does_not_idle_out(share: Share, tmp_path: Path) -> None:
    """Nobody else would see them end; afterwards it leaves, and its document before it."""
    scene = share(tmp_path, BITWARDEN_IDLE_EXIT="1s")
    scene.put("warehouse", "v", note(3))
    with reading_process(scene.environ, **TASK) as task:
        task.read("warehouse")
        agent = int(str(scene.client.status()["pid"]))
        until_read_by(tmp_path, {task.pid})
        until(lambda: not is_alive(agent) or scene.client.status()["waiting"] == 0, "it is idle")
        assert is_alive(agent)
    until(lambda: not is_alive(agent), "the agent leaves", within=30.0)
    assert not documents(tmp_path)


def test_an_address_is_written_to_by_the_libraries_that_know_it(share: Share, tmp_path: Path) -> None:
    """The agent has none of them: a process of its own has, with what they read from the environment."""
    (tmp_path / "readers").mkdir()
    scene = share(Path(), ROTATION_STATE_PATH=f"file://{tmp_path}", AWS_ENDPOINT_URL="http://localhost:1")
    assert scene.settings.state_network == (
        ("AWS_ENDPOINT_URL", "http://localhost:1"),
        ("SSL_CERT_FILE", scene.environ["SSL_CERT_FILE"]),
    )
    scene.put("warehouse", "v", note(3))
    with reading_process(scene.environ, **TASK) as task:
        task.read("warehouse")
        until_read_by(tmp_path, {task.pid})


@pytest.mark.parametrize("wrong", ["a file in its place", "a document that does not open", "a full disk"])
def test_a_folder_that_cannot_be_written_delays_nobody(share: Share, tmp_path: Path, wrong: str) -> None:
    """Lookups are answered, the trouble is in the agent's status, and it still leaves when told."""
    folder = tmp_path / "state"
    if wrong == "a file in its place":
        folder.write_text("")
    elif wrong == "a full disk":
        folder = Path("/dev/full")
    scene = share(folder)
    scene.put("warehouse", "v", note(3))
    with ExitStack() as hanging:
        if wrong == "a document that does not open":
            (folder / "readers").mkdir(parents=True)
            hanging.enter_context(held(folder / "readers" / f"{os.uname().nodename}-held.json"))
        scene.client.find_secret("warehouse")
        if wrong != "a document that does not open":
            until(lambda: "readers_trouble" in scene.client.status(), "it is told", within=25.0)
            assert "ROTATION_STATE_PATH" in str(scene.client.status()["readers_trouble"])
        assert scene.client.find_secret("warehouse", fresh=True) is not None
        assert scene.client.status()["readers"] == 1
