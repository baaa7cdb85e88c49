"""What a report makes of a plan that died, or that a cleared run makes anew. One Airflow for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.bitwarden.faults import Fault
from sandbox.demo.warehouse import ROLES, Warehouse
from sandbox.places import PLUGINS, ROOT
from sandbox.sandbox import Sandbox
from sandbox.tick import REPAIR, clear_of
from scenes.airflow.office import DAGS, Ended, Office

pytestmark = [pytest.mark.airflow, pytest.mark.feature]

REPORTING, ORDERS = ROLES[1:3]
IMPATIENT = "rotate_impatiently"
_DAG = """\
import os
from datetime import timedelta
from airflow.sdk import dag
from credential_rotation.engines.registry import DATABASES
from credential_rotation.tasks.mapped import plan_rotations, report, rotate
from credential_rotation.tasks.trigger_form import rotation_params

@dag(schedule=None, params=rotation_params(DATABASES, os.environ), is_paused_upon_creation=False)
def rotate_impatiently():
    impatient = plan_rotations.override(execution_timeout=timedelta(seconds=8), retries=0)
    names = impatient(list(DATABASES))
    [names, rotate.expand(name=names)] >> report(worker="rotate", planner="plan_rotations", work="rotation")

rotate_impatiently()
"""
"""As `rotate_database_credentials`, with a plan that has seconds, and a report that waits for it: who sets a
task failed before it begins is quicker than the plan."""
RENAMED = "rotate_renamed"
_DAG_OF_A_RENAMED_ONE = f"""\
import os
from airflow.sdk import dag, task
from credential_rotation.approval.operator import RotateWithApproval
from credential_rotation.approval.tasks import report_approvals
from credential_rotation.engines.registry import DATABASES
from credential_rotation.tasks.mapped import report, rotate
from credential_rotation.tasks.trigger_form import rotation_params

@task
def plan_rotations():
    return ["{REPORTING.name}-as-it-was"]

@dag(schedule=None, params=rotation_params(DATABASES, os.environ), is_paused_upon_creation=False)
def {RENAMED}():
    names = plan_rotations()
    rotate.expand(name=names) >> report(worker="rotate", planner="plan_rotations", work="rotation")
    asked = RotateWithApproval.partial(task_id="asked").expand(credential=names)
    asked >> report_approvals(worker="asked", planner="plan_rotations")

{RENAMED}()
"""
"""An entry that was renamed between plan and task, in both kinds of DAG."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Sandbox(tmp_path_factory.mktemp("office")) as sandbox:
        warehouse = Warehouse(sandbox)
        include = warehouse.build(ROOT)
        running = sandbox.start_airflow(
            env=warehouse.environment(), dags=ROOT / "dags", plugins=PLUGINS, include=include
        )
        (running.dags / "rotate_impatiently.py").write_text(_DAG)
        (running.dags / f"{RENAMED}.py").write_text(_DAG_OF_A_RENAMED_ONE)
        running.api.wait_for_dags(*DAGS, IMPATIENT, RENAMED)
        yield Office(sandbox, warehouse)


@pytest.fixture(autouse=True)
def _works_again(office: Office) -> Iterator[None]:
    """Whatever a test does to it; the hourly repair does not come in between."""
    clear_of(REPAIR, within=90)
    yield
    office.sandbox.bitwarden.clear_faults()


def told_since(office: Office, told: int, dag: str = IMPATIENT) -> list[dict[str, Any]]:
    """Of this DAG: others meet the same outage by their own ticks."""
    return [one for one in office.sandbox.slack.messages()[told:] if dag in str(one["blocks"])]


def test_a_cleared_run_does_not_tell_again_of_tasks_that_its_new_plan_has_no_place_for(
    office: Office,
) -> None:
    """What failed was mended meanwhile: nothing is due, and Airflow keeps what the removed tasks left."""
    office.sandbox.postgres.execute("ALTER ROLE reporting NOLOGIN")
    try:
        failed = office.run(IMPATIENT)
    finally:
        office.sandbox.postgres.execute("ALTER ROLE reporting LOGIN")
    task = f"rotate[{REPORTING.name}]"
    assert (failed.state, failed.outcome(task)["outcome"]) == ("failed", "failed")
    assert office.run(IMPATIENT, credentials=[REPORTING.name]).state == "success"
    told = len(office.sandbox.slack.messages())

    office.api.clear(IMPATIENT, failed.run)
    again = Ended(office.api, IMPATIENT, failed.run, office.api.wait(IMPATIENT, failed.run, within=120))
    assert {one.state for one in again.tasks().values() if one.task == "rotate"} <= {"removed", "skipped"}
    assert (again.state, told_since(office, told)) == ("success", [])


@pytest.mark.parametrize(
    ("task", "place", "says"),
    [("rotate", 0, f"no outcome of {ORDERS.name}"), ("plan_rotations", -1, "the plan was not made")],
)
def test_a_task_that_is_killed_before_it_begins_again_in_a_cleared_run_has_no_outcome(
    office: Office, task: str, place: int, says: str
) -> None:
    """What it left of the run before is still there: the run was green, and nothing of it had happened."""
    run = office.run(IMPATIENT, credentials=[ORDERS.name])
    assert run.state == "success"
    office.api.unpause(IMPATIENT, paused=True)
    try:
        office.api.clear(IMPATIENT, run.run)
        office.api.fail(IMPATIENT, run.run, task, map_index=place)
    finally:
        office.api.unpause(IMPATIENT)
    again = Ended(office.api, IMPATIENT, run.run, office.api.wait(IMPATIENT, run.run, within=120))
    assert again.state == "failed"
    assert says in again.log("report")
    assert office.run(IMPATIENT).state == "success", "a run about all ends what is told of the plan"


def test_a_planner_that_dies_makes_the_run_red_and_is_told_until_a_plan_is_made(office: Office) -> None:
    """Bitwarden hangs, and Airflow ends the plan at its time limit: nothing of ours can say a word then."""
    told = len(office.sandbox.slack.messages())
    office.sandbox.bitwarden.fault(Fault("hang", verb="GET", times=50))
    ended = office.run(IMPATIENT)
    assert "AirflowTaskTimeout" in ended.log("plan_rotations")
    assert (ended.state, ended.states()["report"]) == ("failed", "failed")
    [message] = told_since(office, told)
    assert "the plan was not made" in message["text"]
    assert "see the log of plan_rotations" in message["text"]
    assert office.api.run_url(IMPATIENT, ended.run).split("/runs/")[0] in str(message["blocks"])

    office.sandbox.bitwarden.clear_faults()
    assert office.run(IMPATIENT, credentials=[ORDERS.name]).state == "success"
    assert "resolved" not in str(told_since(office, told)), "it was not about all"
    assert office.run(IMPATIENT).state == "success"
    assert "resolved" in str(told_since(office, told))


def test_an_entry_that_was_renamed_since_the_plan_is_refused_and_not_told_as_a_killed_task(
    office: Office,
) -> None:
    """In the task's own words: the one that asks tells them itself, of the other the report does."""
    told, name = len(office.sandbox.slack.messages()), f"{REPORTING.name}-as-it-was"
    ended = office.run(RENAMED)
    assert ended.state == "failed"
    for task in ("rotate", "asked"):
        [outcome] = [ended.outcome(shown) for shown, one in ended.tasks().items() if one.task == task]
        assert outcome["outcome"] == "refused"
        assert f"there is no credential '{name}'" in outcome["reason"]
    [message] = told_since(office, told, RENAMED)
    assert message["text"].startswith(f"{name}: rotation refused — nothing was changed")
    assert "killed" not in message["text"]
