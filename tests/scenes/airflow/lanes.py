"""A run of which some credentials are in lanes: what Airflow keeps of it, and the tasks that read that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from credential_rotation.model import Credential
from credential_rotation.outcome import told
from simulators.scene import ETL

if TYPE_CHECKING:
    from credential_rotation.tasks.report import Reported

PLANNER, WORKER, DB, EU = "plan_rotations", "rotate", "pool-db", "queue-eu.pool-db"
ENTRIES = (
    replace(ETL, name="etl"),
    replace(ETL, name="bi", pool="db"),
    replace(ETL, name="crm", pool="db", queue="eu"),
    replace(ETL, name="hr", pool="db"),
    replace(ETL, name="orders"),
)
ALL = [one.name for one in ENTRIES]


class Kept:
    """What Airflow keeps of a run, and a task's own way to it."""

    dag_id, run_id, map_index, try_number = "rotate_database_credentials", "r1", 0, 1
    log_url = "https://airflow.example/log"

    def __init__(self, *, has: Sequence[str] = (DB, EU), waiting: int = 0, red: int = 0) -> None:
        self.task_id, self.has, self.waiting, self.red = PLANNER, has, waiting, red
        self.running, self.params = 1, dict[str, Any]()
        self.states: dict[str, str | None] = {}
        self.left: dict[tuple[str, str], dict[int, Any]] = {}
        before = {PLANNER, f"hand_out.{DB}"}
        self.task = SimpleNamespace(
            dag=SimpleNamespace(max_active_runs=4),
            downstream_task_ids={WORKER},
            get_flat_relative_ids=lambda upstream: before if upstream else set(),
        )

    def xcom_push(self, key: str, value: Any) -> None:  # noqa: ANN401 - as Airflow's
        self.left[self.task_id, key] = {-1: value}

    def xcom_pull(self, task_ids: str | list[str], key: str = "return_value") -> Any:  # noqa: ANN401 - as Airflow's
        """As Airflow answers: for one task its value, for a list all that there is, by index."""
        asked = [task_ids] if isinstance(task_ids, str) else task_ids
        found = [one for task in asked for _, one in sorted(self.left.get((task, key), {-1: None}).items())]
        return found[0] if isinstance(task_ids, str) else found

    def get_ti_count(
        self,
        dag_id: str,
        task_ids: Sequence[str] = (),
        run_ids: Sequence[str] = (),
        states: Sequence[str] = (),
    ) -> int:
        assert dag_id == self.dag_id
        if not states:
            assert list(run_ids) == [self.run_id]
            return sum(task in {f"hand_out.{lane}" for lane in self.has} for task in task_ids)
        if list(states) == ["failed"]:
            return self.red
        assert (list(states), list(run_ids)) == (["scheduled"], [])
        return self.waiting if f"{WORKER}.{DB}" in task_ids else 0

    def get_dr_count(self, dag_id: str, states: Sequence[str]) -> int:
        assert (dag_id, list(states)) == (self.dag_id, ["running"])
        return self.running

    def get_task_states(
        self, dag_id: str, task_ids: Sequence[str], run_ids: Sequence[str]
    ) -> dict[str, dict[str, str | None]]:
        """As Airflow answers; all went well with whom nothing is said of."""
        assert (dag_id, list(run_ids)) == (self.dag_id, [self.run_id])
        found: dict[str, str | None] = {}
        for task, kept in ((task, kept) for (task, _), kept in self.left.items() if task in task_ids):
            for place in kept:
                name = task if place < 0 else f"{task}_{place}"
                found[name] = self.states.get(name, "success")
        return {self.run_id: found} if found else {}


def context_of(kept: Kept, *, run_type: str = "scheduled") -> Any:  # noqa: ANN401 - Airflow's
    run = SimpleNamespace(run_id="r1", run_type=run_type, triggering_user_name="kim")
    return {"ti": kept, "dag_run": run, "params": kept.params}


def shared(
    kept: Kept, names: Sequence[str], *, entries: Sequence[Credential] = ENTRIES, run_type: str = "scheduled"
) -> None:
    """The planner's work, as far as Airflow keeps it."""
    from credential_rotation.tasks.share_out import share_out  # noqa: PLC0415 - after Airflow's home is set

    own = share_out(context_of(kept, run_type=run_type), entries, names)
    kept.left[PLANNER, "return_value"] = {-1: own}


def handed(kept: Kept, lane: str) -> list[str]:
    """What the lane's own task returns."""
    from airflow.sdk.execution_time.context import set_current_context  # noqa: PLC0415 - after Airflow's home is set

    from credential_rotation.tasks.lanes import hand_out  # noqa: PLC0415 - as above

    kept.task_id = f"hand_out.{lane}"
    with set_current_context(context_of(kept)):
        names: list[str] = hand_out.function(PLANNER)
    return names


def report_of(kept: Kept, *, run_type: str = "scheduled") -> Reported:
    from credential_rotation.tasks.report import Reported  # noqa: PLC0415 - after Airflow's home is set

    return Reported.of_this_run(
        context_of(kept, run_type=run_type), worker=WORKER, planner=PLANNER, work="rotation"
    )


def ended(  # noqa: PLR0913, PLR0917 - as it happened
    kept: Kept, lane: str, place: int, name: str, word: str, at: str = ""
) -> None:
    """A mapped task's outcome."""
    task = f"{WORKER}.{lane}" if lane else WORKER
    row: Mapping[str, Any] = told(replace(ETL, name=name), word, "because").as_dict()
    kept.left.setdefault((task, "outcome"), {})[place] = {
        **row, "log_url": f"https://airflow.example/{task}/{place}", "map_index": place, "left_at": at,
    }  # fmt: skip
