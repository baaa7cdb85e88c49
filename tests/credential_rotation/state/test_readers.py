"""From a process that reads a real secret through a real agent to the attempt that waits for its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.readers.document import FOLDER
from bitwarden_vault.settings import read_settings
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.outcome import Outcome
from sandbox.aws import AwsStandIn
from sandbox.places import PLUGINS
from scenes.campaign.kinds import Keys, Kind, Pair
from scenes.readers.living import reading_process, until_read_by
from scenes.readers.sides import document, reader
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures", "sandbox.aws.fixtures"]

TASK = {"dag_id": "nightly_load", "task_id": "load", "run_id": "manual__1", "try_number": 2}
HOST = os.uname().nodename


@pytest.fixture
def state(site: Site, tmp_path: Path) -> Iterator[Path]:
    """Where this site's agent publishes; it is stopped afterwards."""
    folder = tmp_path / "state"
    site.environ["ROTATION_STATE_PATH"] = str(folder)
    yield folder
    VaultClient(read_settings(site.environ)).stop()


@pytest.fixture
def pair(site: Site, state: Path) -> Kind:
    """Rotated once, with an hour of grace."""
    assert state
    return _rotated(Pair(site))


def _never_rotated(kind: Kind) -> Kind:
    kind.set_up()
    path = kind.site.folder / "credentials" / f"{kind.name}.yaml"
    path.write_text(path.read_text().replace("grace: 1d", "grace: 1h, soak: 1h"))
    return kind


def _rotated(kind: Kind) -> Kind:
    _never_rotated(kind)
    assert kind.site.run("rotate", kind.name, "--json").words == {kind.name: "rotated"}
    assert _later(kind, 2).outcome in {"retired", "waiting", "unchanged"}
    _later(kind, 4)
    return kind


def _later(kind: Kind, hours: float) -> Outcome:
    """The repair of so many hours from now."""
    deployment = kind.site.deployment()
    deployment.clock = lambda: datetime.now(timezone.utc) + timedelta(hours=hours)
    return deployment.rotate(deployment.entry(kind.name), None)


def _value(kind: Kind) -> tuple[str, str]:
    found = json.loads(kind.site.current(kind.key).value)
    names = ("aws_access_key_id", "aws_secret_access_key") if "keys" in kind.key else ("username", "password")
    return found[names[0]], found[names[1]]


def test_retire_waits_for_a_living_task_and_goes_when_it_has_ended(pair: Kind, state: Path) -> None:
    """C7: a task that read the value before the rotation keeps it alive beyond grace."""
    before = _value(pair)
    with reading_process(pair.site.environ, **TASK) as task:
        task.read(pair.key, pair.site.projects["data"])
        until_read_by(state, {task.pid})
        assert pair.site.run("rotate", pair.name, "--json").words == {pair.name: "rotated"}
        waits = _later(pair, 2)
        assert waits.outcome == "waiting"
        assert waits.reason.startswith("version 1 is still read by dag nightly_load task load (run manual__1")
        assert f"on {HOST}" in waits.reason
        assert pair.logs_in(before)
    until_read_by(state, set())
    assert _later(pair, 2).outcome == "retired"
    assert not pair.logs_in(before)


def test_the_first_rotation_of_a_value_waits_too(site: Site, state: Path) -> None:
    """B9: whoever read it before anybody thought of rotating it; the agent kept it as version 0."""
    pair = _never_rotated(Pair(site))
    with reading_process(site.environ, **TASK) as task:
        task.read(pair.key, site.projects["data"])
        until_read_by(state, {task.pid})
        before = _value(pair)
        assert site.run("rotate", pair.name, "--json").words == {pair.name: "rotated"}
        waits = _later(pair, 2)
        assert waits.outcome == "waiting"
        assert waits.reason.startswith("version 0 is still read by dag nightly_load task load")
        assert pair.logs_in(before)
    until_read_by(state, set())
    assert _later(pair, 2).outcome == "retired"
    assert not pair.logs_in(before)


def test_status_shows_who_uses_a_credential(pair: Kind, state: Path) -> None:
    """How many, who, and of which version; never a value."""
    with reading_process(pair.site.environ, **TASK) as task:
        task.read(pair.key, pair.site.projects["data"])
        until_read_by(state, {task.pid})
        ran = pair.site.run("status", pair.name, "--json")
        [told] = ran.outcomes[pair.name]["readers"]
        assert told["version"] == 1
        assert "dag nightly_load task load" in told["who"]
        assert "read by 1: version 1 by dag nightly_load" in ran.told(pair.name)
        assert pair.site.run("status", "admin", "--json").outcomes["admin"]["readers"] == []


def test_another_hosts_readers_count_and_a_silent_host_is_forgotten_after_a_day(
    pair: Kind, state: Path
) -> None:
    """Its document is all that is known of it."""
    secret = pair.site.current(pair.key).id
    assert pair.site.run("rotate", pair.name, "--json").words == {pair.name: "rotated"}
    folder, now = StateFolder(str(state)), datetime.now(timezone.utc)

    def written(at: datetime) -> None:
        line = reader(secret, 1, at, dag="nightly_load", task="load", run="r")
        folder.write(f"{FOLDER}/host-b-1", document("host-b", at, line))

    written(now)
    assert "on host-b" in _later(pair, 2).reason
    written(now - timedelta(hours=23))
    gone = _later(pair, 2)
    assert gone.outcome == "retired"
    [step] = [one for one in gone.steps if one.name == "readers forgotten"]
    assert "task load (run r) on host-b (not heard of since" in step.detail


@pytest.mark.parametrize("wrong", ["torn", "of another schema", "a loop"])
def test_where_readers_are_not_known_grace_decides_and_says_so(pair: Kind, state: Path, wrong: str) -> None:
    """A document that nobody understands stops no rotation and is named."""
    assert pair.site.run("rotate", pair.name, "--json").words == {pair.name: "rotated"}
    folder = state / FOLDER
    if wrong == "a loop":
        state.mkdir(exist_ok=True)
        folder.symlink_to(folder)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "host-b-1.json").write_text('{"schema": 1, "hos' if wrong == "torn" else '{"schema": 2}')
    retired = _later(pair, 2)
    assert retired.outcome == "retired"
    assert [one for one in retired.steps if one.name == "readers unknown"]
    folder.unlink() if folder.is_symlink() else None


def test_what_is_left_of_pods_that_are_gone_goes_after_a_week(pair: Kind, state: Path) -> None:
    """An attempt that asks for readers tidies up; what may still count stays."""
    assert pair.site.run("rotate", pair.name, "--json").words == {pair.name: "rotated"}
    folder, now = StateFolder(str(state)), datetime.now(timezone.utc)
    for days in (6, 8):
        at = now - timedelta(days=days)
        folder.write(f"{FOLDER}/pod-{days}", document(f"pod-{days}", at, reader("another", 1, at)))
    assert _later(pair, 2).outcome == "retired"
    assert folder.names(FOLDER) == [f"{FOLDER}/pod-6"]


_AS_A_SUPERVISOR = """
import os, sys
from bitwarden_vault.backend import BitwardenSecretsBackend
from airflow.sdk import Connection
backend = BitwardenSecretsBackend(connections_prefix="keys", projects=[sys.argv[1]])
backend._set_connection_class(Connection)
connection = backend.get_connection("aws")
print(connection.login, flush=True)
sys.stdin.read()
"""


def test_a_worker_process_outside_any_task_is_a_reader_without_a_task(
    site: Site, state: Path, aws: AwsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B9: so a supervisor fetches the remote-log connection; retire waits and asks for its restart."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    keys = Keys(site, aws, has_admin=True)
    _rotated(keys)
    before = _value(keys)
    environ = {**site.environ, "PYTHONPATH": str(PLUGINS), "PATH": os.defpath, "AIRFLOW_HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", _AS_A_SUPERVISOR, site.projects["data"]],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == before[0]
        [known] = until_read_by(state, {worker.pid})
        assert (known.dag, known.task, known.version) == ("", "", 1)
        assert site.run("rotate", keys.name, "--json").words == {keys.name: "rotated"}
        waits = _later(keys, 2)
        assert waits.outcome == "waiting"
        assert f"worker process {worker.pid}" in waits.reason
        assert "outside any task: restart that worker" in waits.reason
        assert keys.logs_in(before)
        worker.communicate(timeout=30)
    until_read_by(state, set())
    _later(keys, 2)
    assert not keys.logs_in(before)


def test_check_tells_whose_readers_are_not_seen_and_who_keeps_a_value_for_life(pair: Kind) -> None:
    """B9: the entry behind remote_log_conn_id is recognised."""
    warned = pair.site.run("check", "--json", ROTATION_STATE_PATH=None).json["warnings"]
    of_nowhere = {name: text for name, text in pair.site.environ.items() if name != "ROTATION_STATE_PATH"}
    VaultClient(read_settings(of_nowhere)).stop()
    assert [text for text in warned if text.startswith("ROTATION_STATE_PATH is not set")]
    logs = pair.site.run("check", "--json", AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID="db").json["warnings"]
    assert not [text for text in logs if text.startswith("ROTATION_STATE_PATH")]
    assert [text for text in logs if text.startswith("pair: Airflow stores task logs with it")]
