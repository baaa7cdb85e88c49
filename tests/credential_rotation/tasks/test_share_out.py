"""Who does what of a plan, and what report and brake make of it, where entries name queues and pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from credential_rotation.model import Credential
from credential_rotation.outcome import told
from scenes.inventory.entries import folder
from simulators.scene import ETL

if TYPE_CHECKING:
    from credential_rotation.tasks.report import Reported

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

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
        self.killed: tuple[str, ...] = ()
        self.left: dict[tuple[str, str], dict[int, Any]] = {}
        before = {PLANNER, f"hand_out.{DB}"}
        self.task = SimpleNamespace(
            downstream_task_ids={WORKER}, get_flat_relative_ids=lambda upstream: before if upstream else set()
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
        if "upstream_failed" in states:
            assert list(run_ids) == [self.run_id]
            return len({*task_ids} & {*self.killed})
        if list(states) == ["failed"]:
            return self.red
        assert (list(states), list(run_ids)) == (["scheduled"], [])
        return self.waiting if f"{WORKER}.{DB}" in task_ids else 0


def context_of(kept: Kept, *, run_type: str = "scheduled") -> Any:  # noqa: ANN401 - Airflow's
    run = SimpleNamespace(run_id="r1", run_type=run_type, triggering_user_name="kim")
    return {"ti": kept, "dag_run": run, "params": {}}


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


def test_each_lane_gets_its_names_in_order_and_the_planner_keeps_the_rest() -> None:
    """Nobody is in two."""
    kept = Kept()
    shared(kept, ALL)
    assert kept.left[PLANNER, "return_value"] == {-1: ["etl", "orders"]}
    assert (handed(kept, DB), handed(kept, EU), handed(kept, "pool-other")) == (["bi", "hr"], ["crm"], [])


def test_a_plan_of_nobody_in_a_lane_leaves_nothing_else() -> None:
    """As before there were lanes; those that there are get none."""
    kept = Kept()
    shared(kept, ["etl"])
    assert set(kept.left) == {(PLANNER, "return_value")}
    assert handed(kept, DB) == []
    assert report_of(kept).planned == ("etl",)


def test_a_lane_that_this_run_has_no_task_for_waits_for_the_next() -> None:
    """An entry was given a pool a moment ago: it runs nowhere else; a tick stays green, a wish is told."""
    for run_type, complaint in (("scheduled", ""), ("manual", "1 of 5 not done: crm (waiting)")):
        kept = Kept(has=[DB])
        shared(kept, ALL, run_type=run_type)
        assert handed(kept, EU) == []
        for lane, place, name in (("", 0, "etl"), ("", 1, "orders"), (DB, 0, "bi"), (DB, 1, "hr")):
            ended(kept, lane, place, name, "rotated")
        reported = report_of(kept, run_type=run_type)
        assert (reported.missing, reported.complaint) == ((), complaint)
        [row] = [one for one in reported.outcomes if one["outcome"] == "waiting"]
        assert row["reason"] == "Airflow has not read yet that its entry names queue 'eu' and pool 'db'"
        assert (reported.untold.outcomes, reported.untold.missing) == ((row,), ())


def test_who_asked_by_hand_is_not_told_that_the_next_run_has_it() -> None:
    """No later run knows of their wish; least of all where the old value may be in wrong hands."""
    told_by = {}
    for run_type in ("scheduled", "manual"):
        kept = Kept(has=[DB])
        shared(kept, ["crm"], run_type=run_type)
        [row] = report_of(kept, run_type=run_type).outcomes
        told_by[run_type] = row["next_step"]
    assert told_by["scheduled"].startswith("Nothing, if its entry was changed minutes ago: the next run")
    assert told_by["manual"].startswith("Trigger it again in a minute")
    assert "Nothing" not in told_by["manual"]


def test_a_lane_in_which_nothing_begins_is_left_alone_by_the_schedule() -> None:
    """Its pool is full, or is not there: whoever asks now asks for it all the same."""
    kept = Kept(waiting=3)
    shared(kept, ALL)
    assert (handed(kept, DB), handed(kept, EU)) == ([], ["crm"])
    rows = [one for one in report_of(kept).outcomes if one["outcome"] == "waiting"]
    assert [one["name"] for one in rows] == ["bi", "hr"]
    assert rows[0]["reason"] == "3 of earlier runs still wait to begin in pool 'db'"
    assert "whether Airflow has this pool" in rows[0]["next_step"]
    kept = Kept(waiting=3)
    shared(kept, ["bi"], run_type="manual")
    assert handed(kept, DB) == ["bi"]


def test_the_report_sees_what_came_of_all_lanes() -> None:
    """Each by its own task, also where both were the first of theirs; with the link to its own log."""
    kept = Kept()
    shared(kept, ALL)
    ended(kept, "", 0, "etl", "rotated")
    ended(kept, "", 1, "orders", "rotated")
    ended(kept, DB, 0, "bi", "failed")
    ended(kept, EU, 0, "crm", "rotated")
    reported = report_of(kept)
    assert [one["name"] for one in reported.outcomes] == ["etl", "orders", "bi", "crm"]
    assert reported.links["bi"] == f"https://airflow.example/rotate.{DB}/0"
    assert reported.missing == ("hr",)
    assert reported.complaint == "1 of 5 not done: bi (failed); no outcome of hr"


def test_what_a_lane_left_of_an_earlier_plan_is_not_told_again() -> None:
    """A run that was cleared; its entry has left the pool since."""
    kept = Kept()
    shared(kept, ALL)
    ended(kept, DB, 0, "bi", "failed")
    kept.task_id = PLANNER
    shared(kept, ["bi"], entries=[replace(ETL, name="bi")])
    del kept.left[PLANNER, "shares"]  # Airflow's part: a task that begins anew has left nothing yet
    ended(kept, "", 0, "bi", "rotated")
    assert [one["outcome"] for one in report_of(kept).outcomes] == ["rotated"]


def test_a_planner_that_was_killed_after_it_shared_made_no_plan() -> None:
    """Red, and told as such."""
    kept = Kept()
    shared(kept, ALL)
    del kept.left[PLANNER, "return_value"]
    assert handed(kept, DB) == []
    assert "the plan was not made" in report_of(kept).complaint


def test_a_hand_out_that_was_killed_leaves_names_without_an_outcome() -> None:
    """Red, and each is told."""
    kept = Kept()
    shared(kept, ["etl", "bi", "hr"])
    ended(kept, "", 0, "etl", "rotated")
    reported = report_of(kept)
    assert reported.complaint == "no outcome of bi, hr"
    assert len(reported.as_run(None, {}).own_trouble()) == 2


def test_a_hand_out_that_was_killed_in_a_cleared_run_brings_no_old_outcome_back() -> None:
    """Its lane's tasks never began: what they left of the run before is still there, and would be green."""
    kept = Kept()
    shared(kept, ["etl", "bi", "hr"])
    for lane, place, name in (("", 0, "etl"), (DB, 0, "bi"), (DB, 1, "hr")):
        ended(kept, lane, place, name, "rotated")
    assert report_of(kept).complaint == ""
    kept.killed = (f"hand_out.{DB}",)
    reported = report_of(kept)
    assert [one["name"] for one in reported.outcomes] == ["etl"]
    assert reported.complaint == "no outcome of bi, hr"


LIMIT = 3
BRAKES = {
    "three in a row over all lanes": (("etl", "bi", "crm"), True),
    "two": (("etl", "bi"), False),
    "one that went well in another lane between them": (("etl", "bi", "orders", "crm"), False),
    "one that went well before, by a task that comes after in its lane": (
        ("orders", "etl", "bi", "crm"),
        True,
    ),
}
"""In the order in which they ended; `orders` went well, the others failed."""
PLACES = {"etl": ("", 0), "orders": ("", 1), "bi": (DB, 0), "crm": (EU, 0)}


@pytest.mark.parametrize("case", BRAKES)
@pytest.mark.parametrize("lane", ["", DB])
def test_the_brake_counts_over_all_lanes_in_the_order_in_which_tasks_ended(
    tmp_path: Path, case: str, lane: str
) -> None:
    """From whichever it is asked; map indexes of two lanes say nothing of who was first."""
    from airflow.sdk.execution_time.context import set_current_context  # noqa: PLC0415 - after Airflow's home is set

    from credential_rotation.tasks.mapped import _brake  # noqa: PLC0415 - as above

    names, is_pulled = BRAKES[case]
    kept = Kept(red=LIMIT)
    shared(kept, ALL)
    for second, name in enumerate(names):
        word = "rotated" if name == "orders" else "failed"
        ended(kept, *PLACES[name], name, word, at=f"2026-11-28T12:00:0{second}")
    include = folder(tmp_path)
    (include / "policies.yaml").write_text(f"limits: {{stop_after_failures: {LIMIT}}}\n")
    kept.task_id = f"{WORKER}.{lane}" if lane else WORKER
    site: Any = SimpleNamespace(settings=SimpleNamespace(include=include))
    with set_current_context(context_of(kept)):
        assert (_brake(site) is not None) is is_pulled
