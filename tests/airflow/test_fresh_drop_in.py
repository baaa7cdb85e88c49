"""The three folders in an AIRFLOW_HOME, with nothing filled in: loads, skips, and says what to do."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import psutil
import pytest

from sandbox.airflow import AirflowSandbox
from sandbox.places import PLUGINS, ROOT
from scenes.airflow.office import APPROVAL, DAGS, RECORD, ROTATE, ROTATE_CLOUD, VERIFY, Ended

pytestmark = [pytest.mark.airflow, pytest.mark.feature]

WANTED = {RECORD: {"credential": "signing-key", "done": "close", "reason": "made anew"}}
"""What a form insists on."""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowSandbox]:
    home = tmp_path_factory.mktemp("fresh") / "home"
    dags, plugins, include = (ROOT / name for name in ("dags", "plugins", "include"))
    with AirflowSandbox(home, env={}, dags=dags, plugins=plugins, include=include) as running:
        running.api.wait_for_dags(*DAGS)
        yield running


def test_it_loads_without_import_errors(airflow: AirflowSandbox) -> None:
    """Seven DAGs, and nothing else is taken for one."""
    assert airflow.api.import_errors() == {}
    assert set(airflow.api.dags()) == set(DAGS)


def test_what_watches_runs_at_once_and_what_rotates_waits_for_a_person(airflow: AirflowSandbox) -> None:
    """E5: only what rotates is paused at first, and a run of it that is triggered meanwhile stays queued."""
    paused = {name for name, one in airflow.api.dags().items() if one["is_paused"]}
    assert paused == {ROTATE, ROTATE_CLOUD, APPROVAL}
    run = airflow.api.trigger(ROTATE)
    other = airflow.api.trigger(VERIFY)
    airflow.api.wait(VERIFY, other)  # the scheduler has been past both
    assert airflow.api.state(ROTATE, run) == "queued"


@pytest.mark.parametrize("dag", DAGS)
def test_its_tasks_skip_and_the_log_says_what_to_fill_in(airflow: AirflowSandbox, dag: str) -> None:
    """Nothing is red on the first day, and nobody has to search for what is missing."""
    airflow.api.unpause(dag)
    run = airflow.api.trigger(dag, WANTED.get(dag))
    ended = Ended(airflow.api, dag, run, airflow.api.wait(dag, run))
    assert set(ended.states().values()) == {"skipped"}
    planner = next(name for name in ended.states() if name.startswith(("plan_", "watch", "record")))
    log = ended.log(planner)
    for word in (
        "warehouse.yaml.example",
        "BWS_ACCESS_TOKEN",
        "BWS_ORGANIZATION_ID",
        "ROTATION_JOURNAL_PROJECT",
    ):
        assert word in log


def test_no_agent_starts_for_nothing(airflow: AirflowSandbox) -> None:
    """A fresh drop-in asks nobody and starts no process."""
    assert "bitwarden_vault agent" not in airflow.log("scheduler")
    ours = [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if "bitwarden_vault" in " ".join(process.info["cmdline"] or [])
        and str(airflow.home) in str((process.info["environ"] or {}).get("HOME"))
    ]
    assert ours == []


def test_pages_carry_their_runbook(airflow: AirflowSandbox) -> None:
    """Who opens a red DAG finds there what to do."""
    assert "what now?" in (airflow.api.dag_details(ROTATE)["doc_md"] or "")


def test_no_module_of_ours_shadows_a_standard_one() -> None:
    """Airflow puts plugins/ and dags/ on the path and imports what lies there by its bare name."""
    tops = [one for folder in ("plugins", "dags") for one in (ROOT / folder).iterdir()]
    names = {one.stem for one in tops if one.suffix == ".py" or (one / "__init__.py").exists()}
    assert names & set(sys.stdlib_module_names) == set()
    assert {"bitwarden_vault", "credential_rotation"} <= names


def test_plugins_are_not_imported_under_their_bare_names() -> None:
    """What Airflow's plugin loader would import is listed for it to leave alone."""
    ignored = (PLUGINS / ".airflowignore").read_text().split()
    folders = {f"{one.name}/" for one in (PLUGINS).iterdir() if (one / "__init__.py").exists()}
    assert set(ignored) == folders
