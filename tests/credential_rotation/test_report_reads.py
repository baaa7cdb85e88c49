"""What a report makes of what planner and mapped tasks left behind, or did not."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from credential_rotation.report import Reported

pytest_plugins = ["scenes.airflow_import"]
pytestmark = pytest.mark.usefixtures("airflow")

PLANNER, WORKER = "plan_rotations", "rotate"


class LeftBehind:
    """A report's task, and what Airflow has kept of the tasks before it, by task, key and map index."""

    dag_id, run_id, task_id, map_index, try_number = "rotate_database_credentials", "r1", "report", -1, 1
    log_url = "https://airflow.example/log"

    def __init__(self, kept: Mapping[tuple[str, str], Mapping[int, Any]]) -> None:
        self.kept = kept
        self.asked = 0

    def xcom_pull(self, task_ids: str | list[str], key: str = "return_value") -> Any:  # noqa: ANN401 - as Airflow's
        """As Airflow answers: for one task its value, for a list all that there is, by index."""
        self.asked += 1
        one = isinstance(task_ids, str)
        [name] = [task_ids] if isinstance(task_ids, str) else task_ids
        found = [value for _, value in sorted(self.kept.get((name, key), {}).items())] or [None]
        return found[0] if one and len(found) == 1 else found


def read(kept: Mapping[tuple[str, str], Mapping[int, Any]]) -> tuple[Reported, LeftBehind]:
    from credential_rotation.report import Reported  # noqa: PLC0415 - after Airflow's home is set

    ti = LeftBehind(kept)
    run = SimpleNamespace(run_id="r1", run_type="scheduled", triggering_user_name=None)
    context: Any = {"ti": ti, "dag_run": run, "params": {}}
    return Reported.of_this_run(context, worker=WORKER, planner=PLANNER, work="rotation"), ti


def test_a_planner_that_left_nothing_is_trouble_and_no_fresh_drop_in() -> None:
    """Killed, out of memory, out of time, or something that nobody foresaw: somebody hears of it."""
    reported, _ = read({})
    assert not reported.is_unconfigured
    assert "the plan was not made" in reported.complaint
    assert f"see the log of {PLANNER}" in reported.complaint
    [found] = reported.as_run(None, {}).own_trouble()
    assert "the plan was not made" in found.message.text


def test_a_planner_that_says_that_nothing_is_configured_is_a_fresh_drop_in() -> None:
    """Only its own word makes the report skip."""
    reported, _ = read({(PLANNER, "unconfigured"): {-1: True}})
    assert reported.is_unconfigured
    assert reported.complaint == ""


def test_a_planner_that_says_why_it_failed_is_told_in_its_own_words() -> None:
    """No second reason beside it."""
    reported, _ = read({(PLANNER, "trouble"): {-1: "no connection to Bitwarden. It tries again."}})
    assert not reported.is_unconfigured
    assert reported.complaint == "no connection to Bitwarden. It tries again."


def test_a_plan_of_nothing_is_a_quiet_hour() -> None:
    """Neither trouble nor a fresh drop-in."""
    reported, _ = read({(PLANNER, "return_value"): {-1: []}})
    assert (reported.is_unconfigured, reported.complaint) == (False, "")
