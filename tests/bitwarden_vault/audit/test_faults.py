"""The trail of an agent on a bad day: killed, beside another one, without room on its disk."""

import contextlib
import json
import os
import resource
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bitwarden_vault.agent_socket import socket_path
from bitwarden_vault.errors import AgentUnavailable
from bitwarden_vault.wire import Channel
from sandbox.bitwarden import Fault
from scenes.audit.audited import Audited, audited_scene
from scenes.audit.trail import read_trail, said
from scenes.vault.scene import VaultScene, until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures", "scenes.audit.fixtures"]


def test_a_write_is_on_the_disk_before_anybody_is_told(audited: Audited) -> None:
    """The agent is killed at once, and the trail still has both lines."""
    made = audited.scene.put()
    project = audited.scene.workplace.project
    audited.client.update_secret(made, key="k", value="new", note="", project_id=project)
    os.kill(audited.scene.agent(), signal.SIGKILL)
    assert [line["outcome"] for line in audited.lines("update_secret")] == ["sent", "ok"]


def test_a_write_whose_answer_nobody_saw_was_written_down_before_it_was_sent(audited: Audited) -> None:
    """The agent is killed between commit and answer."""
    made, project = audited.scene.put(), audited.scene.workplace.project
    bitwarden = audited.scene.workplace.bitwarden
    bitwarden.fault(Fault("slow_answer", verb="PUT", seconds=1.0))
    code = f"client.update_secret({made!r}, key='k', value='new', note='', project_id={project!r})"
    asking = threading.Thread(target=audited.scene.run, args=(code,))
    asking.start()
    until(lambda: any(line.verb == "PUT" for line in bitwarden.requests()), "it is sent")
    os.kill(audited.scene.agent(), signal.SIGKILL)
    asking.join()
    (line,) = audited.lines("update_secret")
    assert (line["outcome"], line["secrets"]) == ("sent", [{"id": made, "key": "k"}])


def test_lines_are_on_the_disk_within_a_second_or_so(audited: Audited) -> None:
    """Without anybody asking anything more, and the checkpoint covers them."""
    audited.client.find_secret("nothing")
    until(lambda: len(audited.lines("look_up")) == 1, "it is written", within=3.0)
    until(lambda: covered(audited) >= 3, "it is covered", within=3.0)


def covered(audited: Audited) -> int:
    (check,) = [json.loads(raw) for raw in read_trail(audited.folder).checkpoints.values()]
    return int(check["sequence"])


def test_killed_in_the_middle_it_is_complete_up_to_its_checkpoint(audited: Audited) -> None:
    """At any moment; the next agent has a chain of its own."""
    audited.scene.put("k")
    over = audited.scene.directory / "over"
    code = f"signal.alarm(25)\nwhile not os.path.exists({str(over)!r}): client.find_secret('k')"
    asking = threading.Thread(target=audited.scene.run, args=(code, 2))
    asking.start()
    try:
        for _ in range(3):
            until(lambda: bool(audited.client.status()["running"]), "an agent runs")
            before = len(said(audited.folder))
            until(lambda seen=before: len(said(audited.folder)) > seen, "it writes")  # type: ignore[misc]  # a bound default
            os.kill(audited.scene.agent(), signal.SIGKILL)
    finally:
        over.touch()
        asking.join()
    audited.client.stop()
    code_of_exit, text = audited.verify(str(audited.folder), "--json")
    agents = json.loads(text)["agents"]
    assert (code_of_exit, [one["findings"] for one in agents]) == (0, [[]] * len(agents))
    assert sum(not one["has_ended"] for one in agents) == 3
    assert all(one["complete_to"] == one["checkpoint"] > 0 for one in agents)


def test_two_agents_write_side_by_side(audited: Audited) -> None:
    """Each its own files."""
    (sockets := audited.scene.directory / "other").mkdir(mode=0o700)
    other = audited_scene(audited.scene, audited.folder, BITWARDEN_SOCKET_DIR=str(sockets))
    made = audited.scene.put()
    try:
        for _ in range(5):
            assert audited.client.get_secret(made) == other.client.get_secret(made)
        assert audited.scene.agent() != other.scene.agent()
    finally:
        other.client.stop()
    assert len(audited.all_lines("get_secret")) == 10
    assert len({name.rsplit("-", 1)[0] for name in read_trail(audited.folder).names}) == 2
    assert audited.verify(str(audited.folder))[0] == 0


def test_other_settings_of_the_trail_are_another_agent(audited: Audited, vault: VaultScene) -> None:
    """Or whoever comes first would decide whether the others leave a trace."""
    vault.client.list_projects()
    audited.client.list_projects()
    assert vault.agent() != audited.scene.agent()
    assert "off" in str(vault.client.status()["audit"])
    assert len(audited.all_lines("list_projects")) == 1


STRANGE = {
    "a caller that is none": ("status", [1], {}),
    "arguments that are none": ("status", {}, 5),
    "a number that is no try": (
        "stop_it",
        {"try_number": float("inf"), "dag_id": ["x"] * 9},
        {"ids": 1, "id": []},
    ),
    "half a character": ("get_secret", {"user": "\ud800"}, {"id": "\ud800", "key": "\udfff"}),
    "more ids than anybody has": ("get_secrets", {}, {"ids": ["x"] * 5000}),
}


@pytest.mark.parametrize(("operation", "caller", "arguments"), STRANGE.values(), ids=STRANGE.keys())
def test_what_no_client_of_ours_says_ends_neither_agent_nor_chain(
    audited: Audited, operation: str, caller: object, arguments: object
) -> None:
    """And does not fill the disk."""
    audited.client.list_projects()
    pid = audited.scene.agent()
    message = {"id": "1", "operation": operation, "caller": caller, "arguments": arguments}
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.settimeout(10)
        stranger.connect(socket_path(audited.scene.settings))
        channel = Channel(stranger)
        channel.send({**message, "build": 0, "deadline": 5.0, "patience": 5.0})
        while (heard := channel.receive()) is not None and not {"result", "error"} & heard.keys():
            pass
    assert audited.scene.agent() == pid
    audited.client.stop()
    assert audited.verify(str(audited.folder))[0] == 0
    assert max(map(len, read_trail(audited.folder).lines(read_trail(audited.folder).names[0]))) < 50_000


@contextlib.contextmanager
def full_disk(audited: Audited) -> Iterator[None]:
    """The agent's segment cannot grow by more than a part of a line."""
    pid, kind = audited.scene.agent(), resource.RLIMIT_FSIZE
    (segment,) = audited.folder.glob("*.jsonl")
    usual = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (segment.stat().st_size + 100, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, kind, usual)


def test_a_trail_that_cannot_be_written_stops_nobody_and_is_told(audited: Audited) -> None:
    """In the agent's status and log; the lines follow when there is room."""
    made, project = audited.scene.put(), audited.scene.workplace.project
    audited.client.get_secret(made)
    with full_disk(audited):
        audited.client.update_secret(made, key="k", value="new", note="", project_id=project)
        assert "File too large" in str(audited.client.status()["audit_trouble"])
    assert any("audit: " in log.read_text() for log in audited.scene.directory.glob("*.log"))
    assert [line["outcome"] for line in audited.all_lines("update_secret")] == ["sent", "ok"]
    assert audited.verify(str(audited.folder))[0] == 0


def test_where_it_is_required_nobody_is_served_without_it(vault: VaultScene, tmp_path: Path) -> None:
    """Bitwarden is not asked, and it goes on by itself when there is room."""
    audited = audited_scene(vault, tmp_path / "audit", BITWARDEN_AUDIT_REQUIRED="true")
    made, project = vault.put(value="old"), vault.workplace.project
    client = audited.client
    client.find_secret("k")
    with full_disk(audited):
        for _ in range(2):
            with pytest.raises(AgentUnavailable, match="BITWARDEN_AUDIT_REQUIRED"):
                client.update_secret(made, key="k", value="new", note="", project_id=project)
        with pytest.raises(AgentUnavailable, match="File too large"):
            client.find_secret("k")
    assert vault.workplace.stored() == ["old"]
    client.update_secret(made, key="k", value="new", note="", project_id=project)
    assert vault.workplace.stored() == ["new"]
    client.stop()
    assert audited.verify(str(audited.folder))[0] == 0


def test_a_folder_that_cannot_be_made_is_told_too(vault: VaultScene, tmp_path: Path) -> None:
    """From the agent's start on."""
    (file := tmp_path / "file").write_text("")
    audited = audited_scene(vault, file / "audit")
    audited.client.list_projects()
    assert "Not a directory" in str(audited.client.status()["audit_trouble"])
    audited.client.stop()
    required = audited_scene(vault, file / "audit", BITWARDEN_AUDIT_REQUIRED="yes")
    with pytest.raises(AgentUnavailable, match="Not a directory"):
        required.client.list_projects()
    required.client.stop()


def test_the_command_finds_what_was_changed_and_says_where(vault: VaultScene, tmp_path: Path) -> None:
    """With the key from the environment; 0, 1 and 2 are three answers."""
    (key := tmp_path / "key").write_text(secrets.token_hex(32))
    environ = {
        "BITWARDEN_AUDIT_KEY_FILE": str(key),
        "BITWARDEN_AUDIT_CHECKPOINT": str(tmp_path / "elsewhere"),
    }
    audited = audited_scene(vault, tmp_path / "audit", **environ)
    audited.client.get_secret(vault.put())
    audited.client.stop()
    environ["BITWARDEN_AUDIT_PATH"] = str(audited.folder)
    code, text = audited.verify(environ=environ)
    assert (code, "complete up to line" in text, "Without a key" in text) == (0, True, False)
    at = ("--checkpoints", str(tmp_path / "elsewhere"))
    assert audited.verify(str(audited.folder), "--key", str(key), *at)[0] == 0
    assert audited.verify(str(audited.folder), *at)[0] == 2
    assert audited.verify(str(tmp_path / "nowhere"))[0] == 2
    assert audited.verify()[0] == 2
    assert audited.verify(str(tmp_path / "elsewhere"))[0] == 2
    (segment,) = audited.folder.glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b'"get_secret"', b'"got_secret"'))
    code, text = audited.verify(environ=environ)
    assert code == 1
    assert f"WRONG {segment.name}, line " in text
