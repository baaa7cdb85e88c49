"""What tasks left before a run was cleared: Airflow keeps it until they begin again, and some never do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from scenes.airflow.lanes import (
    ALL,
    DB,
    PLANNER,
    WORKER,
    Kept,
    ended,
    report_of,
    shared,
)
from simulators.scene import ETL

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")


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


def test_a_hand_out_that_was_killed_in_a_cleared_run_brings_no_old_outcome_back() -> None:
    """Its lane's tasks never began: what they left of the run before is still there, and would be green."""
    kept = Kept()
    shared(kept, ["etl", "bi", "hr"])
    for lane, place, name in (("", 0, "etl"), (DB, 0, "bi"), (DB, 1, "hr")):
        ended(kept, lane, place, name, "rotated")
    assert report_of(kept).complaint == ""
    kept.states = dict.fromkeys((f"rotate.{DB}_0", f"rotate.{DB}_1"), "upstream_failed")
    reported = report_of(kept)
    assert [one["name"] for one in reported.outcomes] == ["etl"]
    assert reported.complaint == "no outcome of bi, hr"


OF_ANOTHER_LIFE: Mapping[str, tuple[str, str, str | None, str, str]] = {
    "killed before it began": ("scheduled", "rotated", "failed", "", "bi"),
    "killed before it began, in a lane": ("scheduled", "rotated", "failed", DB, "bi"),
    "killed before it waited again": ("scheduled", "waiting", "failed", DB, "bi"),
    "what the planner gave no task": ("manual", "ok", "upstream_failed", "", "bi"),
    "not begun yet": ("manual", "failed", None, DB, "bi"),
    "waits for a worker": ("manual", "failed", "queued", "", "bi"),
    "red, and its own": ("scheduled", "failed", "failed", DB, ""),
    "asked for by hand, and waits": ("manual", "waiting", "failed", DB, ""),
    "waits for the next tick": ("scheduled", "waiting", "skipped", "", ""),
    "its lane is gone since": ("scheduled", "rotated", "removed", DB, ""),
}
"""Who asked, what a task has left, how it stands now, where, and who has no outcome."""


@pytest.mark.parametrize("case", OF_ANOTHER_LIFE)
def test_what_a_task_left_before_its_run_was_cleared_is_no_outcome_of_now(case: str) -> None:
    """Airflow keeps it until the task begins again, and one that is killed before that never does."""
    run_type, word, state, lane, missing = OF_ANOTHER_LIFE[case]
    kept = Kept()
    entry = replace(ETL, name="bi", pool="db" if lane else None)
    shared(kept, ["bi"], entries=[entry], run_type=run_type)
    ended(kept, lane, 0, "bi", word)
    kept.states[f"{WORKER}.{lane}_0" if lane else f"{WORKER}_0"] = state
    reported = report_of(kept, run_type=run_type)
    assert ", ".join(reported.missing) == missing
    assert ("no outcome of bi" in reported.complaint) is bool(missing)


def test_a_planner_that_never_began_again_has_made_no_plan() -> None:
    """The plan of before is still there, and so is all that came of it: the run was green."""
    for state in ("failed", "upstream_failed"):
        kept = Kept()
        shared(kept, ["etl"])
        ended(kept, "", 0, "etl", "rotated")
        kept.left[PLANNER, "unconfigured"] = {-1: True}
        kept.left[PLANNER, "trouble"] = {-1: "entries that cannot be used: a.yaml:3"}
        kept.states = {PLANNER: state, f"{WORKER}_0": "upstream_failed"}
        reported = report_of(kept)
        assert (reported.outcomes, reported.is_unconfigured) == ((), False)
        assert "the plan was not made" in reported.complaint
