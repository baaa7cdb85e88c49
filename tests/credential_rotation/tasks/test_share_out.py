"""Who does what of a plan, and what report and brake make of it, where entries name queues and pools."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scenes.airflow.lanes import (
    ALL,
    DB,
    EU,
    PLANNER,
    WORKER,
    Kept,
    context_of,
    ended,
    handed,
    report_of,
    shared,
)
from scenes.inventory.entries import folder

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")


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


def test_who_asks_by_hand_never_takes_the_last_run_of_a_dag_to_wait_in_a_pool_that_has_no_room() -> None:
    """Four that wait for a missing pool would hold up every scheduled run; a value in wrong hands may."""
    for running, waiting, params, is_handed in (
        (3, 3, {}, True),
        (4, 3, {}, False),
        (4, 0, {}, True),
        (4, 3, {"revoke": True}, True),
    ):
        kept = Kept(waiting=waiting)
        kept.running, kept.params = running, params
        shared(kept, ["etl", "bi"], run_type="manual")
        assert (handed(kept, DB) == ["bi"]) is is_handed
        rows = [one for one in report_of(kept, run_type="manual").outcomes if one["outcome"] == "waiting"]
        assert [one["name"] for one in rows] == ([] if is_handed else ["bi"])
        for row in rows:
            assert row["reason"] == "3 of earlier runs still wait to begin in pool 'db'"
            assert "whether Airflow has this pool" in row["next_step"]
            assert "then trigger it again" in row["next_step"]


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
