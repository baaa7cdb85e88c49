"""Queue and pool of entries as the DAG has them: a mapped task for each pair, none where nobody names one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from credential_rotation.inventory.inventory import load_inventory
from scenes.inventory.entries import folder, simple

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

ENGINES = ("postgres",)
MANY = (
    simple("etl")
    + simple("bi", ", pool: db")
    + simple("crm", ", pool: db, queue: eu")
    + simple("hr", ", queue: eu, pool: db")
    + simple("last", ", queue: eu")
)


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return iter(())


def dag_of(include: Path, engines: tuple[str, ...] = ENGINES) -> Any:  # noqa: ANN401 - Airflow's
    """As the DAG files make it."""
    from airflow.sdk import DAG  # noqa: PLC0415 - after Airflow's home is set

    from credential_rotation.tasks.lanes import lanes_of, one_each  # noqa: PLC0415 - as above
    from credential_rotation.tasks.mapped import plan_rotations, report, rotate  # noqa: PLC0415 - as above

    with DAG("d", schedule=None) as dag:
        lanes = lanes_of(engines, {"ROTATION_INCLUDE": str(include)})
        tasks = one_each(rotate, plan_rotations(list(engines)), lanes)
        tasks >> report(worker="rotate", planner="plan_rotations", work="rotation")
    return dag


def graph(dag: Any) -> dict[str, set[str]]:  # noqa: ANN401 - as above
    return {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}


PLAIN = {"plan_rotations": {"rotate"}, "rotate": {"report"}, "report": set()}


def test_where_nobody_names_one_the_dag_is_as_if_there_were_none(tmp_path: Path) -> None:
    """Task ids, order, and how many runs there may be."""
    from credential_rotation.tasks.lanes import at_once, lanes_of  # noqa: PLC0415 - after Airflow's home is set

    include = folder(tmp_path, a="credentials:\n" + simple("etl") + simple("bi"))
    assert graph(dag_of(include)) == PLAIN
    assert at_once(1, lanes_of(ENGINES, {"ROTATION_INCLUDE": str(include)})) == 1


def test_each_pair_has_a_mapped_task_and_one_that_hands_out_its_names(tmp_path: Path) -> None:
    """Once, however many entries name it; who names neither stays where they were."""
    dag = dag_of(folder(tmp_path, a="credentials:\n" + MANY))
    lanes = ("pool-db", "queue-eu", "queue-eu.pool-db")
    assert graph(dag) == {
        "plan_rotations": {"rotate", *(f"hand_out.{lane}" for lane in lanes)},
        "rotate": {"report"},
        **{f"hand_out.{lane}": {f"rotate.{lane}"} for lane in lanes},
        **{f"rotate.{lane}": {"report"} for lane in lanes},
        "report": set(),
    }
    mapped = {lane: dag.get_task(f"rotate.{lane}") for lane in lanes}
    assert [one.pool for one in mapped.values()] == ["db", "default_pool", "db"]
    assert [one.queue for one in mapped.values()] == ["default", "eu", "eu"]
    ours = [one for one in dag.tasks if one not in mapped.values()]
    assert {(one.queue, one.pool) for one in ours} == {("default", "default_pool")}


def test_runs_do_not_wait_for_one_that_waits_for_its_pool(tmp_path: Path) -> None:
    """A pool that is not there holds its run for ever; of one run at a time that would be the last."""
    from credential_rotation.tasks.lanes import at_once, lanes_of  # noqa: PLC0415 - after Airflow's home is set

    lanes = lanes_of(ENGINES, {"ROTATION_INCLUDE": str(folder(tmp_path, a="credentials:\n" + MANY))})
    assert (at_once(1, lanes), at_once(200, lanes)) == (4, 200)


def test_entries_of_other_engines_make_no_tasks(tmp_path: Path) -> None:
    """Each DAG has its own engines."""
    assert graph(dag_of(folder(tmp_path, a="credentials:\n" + MANY), ("aws_iam",))) == PLAIN


def test_a_task_that_runs_has_its_own_lane_whatever_the_inventory_says_by_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its entry may have moved on, the file may be broken: Airflow would find no task of this id."""
    for running in ("rotate.pool-gone", "hand_out.pool-gone"):
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", running)
        found = graph(dag_of(folder(tmp_path, a="credentials: [")))
        assert found["hand_out.pool-gone"] == {"rotate.pool-gone"}
        assert len(found) == len(PLAIN) + 2
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "report")
    assert graph(dag_of(folder(tmp_path, a="credentials:\n" + MANY))) == PLAIN


@pytest.mark.parametrize("text", ["credentials: [", "credentials:\n" + MANY + "  - {name: half}\n"])
def test_a_broken_inventory_never_breaks_the_dag(tmp_path: Path, text: str) -> None:
    """The lanes of the good entries are there."""
    found = graph(dag_of(folder(tmp_path, a=text)))
    assert set(PLAIN) <= set(found)
    assert ("rotate.pool-db" in found) is ("etl" in text)


@pytest.mark.parametrize("environ", [{"ROTATION_INCLUDE": "/nowhere"}, {"ROTATION_SETTLE": "soon"}])
def test_wrong_settings_never_break_the_dag(environ: dict[str, str]) -> None:
    """The run tells what is wrong."""
    from credential_rotation.tasks.lanes import lanes_of  # noqa: PLC0415 - after Airflow's home is set

    assert lanes_of(ENGINES, environ) == ()


WRONG = {
    "too long": ("x" * 257, "is longer than 256"),
    "a space": ('" db"', "nor begin or end with a space"),
    "empty": ('""', "may not be empty"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("field", ["queue", "pool"])
def test_a_name_that_airflows_database_cannot_keep_is_a_mistake(
    tmp_path: Path, field: str, name: str
) -> None:
    """It would end the scheduler, and with it what has nothing to do with rotation."""
    text, words = WRONG[name]
    include = folder(tmp_path, a="credentials:\n" + simple("etl", f", {field}: {text}"))
    assert load_inventory(include).credentials == ()
    assert words in str(load_inventory(include).problems[0])
