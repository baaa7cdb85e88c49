"""A dry run that fails is told to who asked for it, and to nobody else: it changed nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from credential_rotation.outcome import told
from sandbox.ports import free_ports
from scenes.site.deployment import Site
from simulators.scene import ETL, START

pytest_plugins = ["scenes.airflow.imported", "scenes.site.fixtures"]


@pytest.fixture
def kept(site: Site, tmp_path: Path) -> Iterator[Site]:
    """With a state folder of its own."""
    site.environ["ROTATION_STATE_PATH"] = str(tmp_path / "state")
    yield site
    VaultClient(read_settings(site.environ)).stop()


def test_by_command_it_is_no_failure_in_evidence_nor_on_the_page(kept: Site) -> None:
    """The target is down: exit status and message say so, and no document does."""
    assert kept.run("rotate", "etl").code == 0
    [closed] = free_ports(1)
    kept.change_entries(f"port: {kept.postgres.port}", f"port: {closed}")
    for command in (("rotate", "etl"), ("revoke", "etl", "--reason", "a laptop was lost")):
        ran = kept.run(*command, "--dry-run", "--json")
        assert (ran.code, ran.words) == (1, {"etl": "failed"})
    document = kept.run("evidence", "etl", "--json").json
    assert document["summary"]["failures"] == 0
    assert [one["outcome"] for one in document["events"]] == ["rotated"]
    assert len(list(Path(kept.environ["ROTATION_STATE_PATH"], "runs").rglob("*.json"))) == 1


class Task:
    """A task's own way to Airflow: what it leaves, and what it finds of others."""

    dag_id, run_id, task_id, map_index, try_number = "rotate_database_credentials", "r1", "rotate", 0, 1
    log_url = "https://airflow.example/log"

    def __init__(self) -> None:
        self.left: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:  # noqa: ANN401 - as Airflow's
        self.left[key] = value

    def xcom_pull(self, task_ids: str | list[str], key: str = "return_value") -> Any:  # noqa: ANN401 - as Airflow's
        if key == "return_value":
            return [[ETL.name]]
        return self.left.get(key) if isinstance(task_ids, str) else [self.left.get(key)]

    def get_task_states(self, **_: object) -> dict[str, dict[str, str]]:
        """Its planner's and its own: the outcome of this test is a red one."""
        return {self.run_id: {"plan_rotations": "success", f"{self.task_id}_0": "failed"}}


@pytest.mark.usefixtures("airflow")
@pytest.mark.parametrize("is_dry", [True, False])
def test_in_a_dag_it_is_red_and_neither_kept_nor_told_to_slack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_dry: bool
) -> None:
    """Who triggered it reads it in the task and in the report; a real failure is kept, and told."""
    from credential_rotation.tasks.report import Reported  # noqa: PLC0415 - after Airflow's home is set
    from credential_rotation.tasks.run_context import asked_in, hand_on  # noqa: PLC0415 - as above

    monkeypatch.setenv("ROTATION_STATE_PATH", str(tmp_path))
    run = SimpleNamespace(run_id="r1", run_type="manual", triggering_user_name="kim")
    params: Mapping[str, object] = {"credentials": [ETL.name], "dry_run": is_dry}
    context: Any = {"ti": Task(), "dag_run": run, "params": params}
    failed = told(ETL, "failed", "the target does not answer")
    hand_on(context, ETL, failed, asked_in(context), now=START)
    assert bool(list(tmp_path.rglob("history/**/*.json"))) is not is_dry

    reported = Reported.of_this_run(context, worker="rotate", planner="plan_rotations", work="rotation")
    assert reported.complaint == f"1 of 1 not done: {ETL.name} (failed)"
    assert [one["name"] for one in reported.to_tell.outcomes] == ([] if is_dry else [ETL.name])
    assert reported.to_tell.missing == ()
