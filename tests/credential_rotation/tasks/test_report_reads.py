"""What a report makes of what planner and mapped tasks left behind, or did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.outcome import told
from simulators.scene import ETL

if TYPE_CHECKING:
    from credential_rotation.tasks.report import Reported

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

    def xcom_push(self, key: str, value: Any) -> None:  # noqa: ANN401 - as Airflow's
        """Of the mapped task whose words these are."""
        self.kept = {**self.kept, (WORKER, key): {0: value}}

    def xcom_pull(self, task_ids: str | list[str], key: str = "return_value") -> Any:  # noqa: ANN401 - as Airflow's
        """As Airflow answers: for one task its value, for a list all that there is, by index."""
        self.asked += 1
        one = isinstance(task_ids, str)
        [name] = [task_ids] if isinstance(task_ids, str) else task_ids
        found = [value for _, value in sorted(self.kept.get((name, key), {}).items())] or [None]
        return found[0] if one and len(found) == 1 else found


def read(kept: Mapping[tuple[str, str], Mapping[int, Any]]) -> tuple[Reported, LeftBehind]:
    ti = LeftBehind(kept)
    return report_of(ti), ti


def report_of(ti: LeftBehind, params: Mapping[str, Any] | None = None) -> Reported:
    from credential_rotation.tasks.report import Reported  # noqa: PLC0415 - after Airflow's home is set

    run = SimpleNamespace(run_id="r1", run_type="scheduled", triggering_user_name=None)
    context: Any = {"ti": ti, "dag_run": run, "params": params or {}}
    return Reported.of_this_run(context, worker=WORKER, planner=PLANNER, work="rotation")


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


def left(name: str, word: str, place: int) -> dict[str, Any]:
    """A mapped task's outcome, and whose task it was."""
    return {
        **told(replace(ETL, name=name), word, "because").as_dict(),
        "log_url": f"https://airflow.example/log/{place}",
        "map_index": place,
    }


def cleared(plan: list[str], *outcomes: dict[str, Any]) -> Reported:
    """A run that was cleared as a whole: Airflow keeps what tasks left that the new plan has no place for."""
    tasks = {one["map_index"]: one for one in outcomes}
    reported, ti = read({(PLANNER, "return_value"): {-1: plan}, (WORKER, "outcome"): tasks})
    assert ti.asked <= 4, "a thousand mapped tasks are one question, not a thousand"
    return reported


CLEARED = {
    "the same plan: all of it": (["etl", "bi"], ["etl", "bi"], ()),
    "nothing is due any more: nothing is told again": ([], [], ()),
    "a shorter plan": (["etl"], ["etl"], ()),
    "whose task is another one's now, and died: not the word of the one before": (["bi"], [], ("bi",)),
    "a longer plan, whose last task died": (["etl", "bi", "orders"], ["etl", "bi"], ("orders",)),
}


@pytest.mark.parametrize("case", CLEARED)
def test_what_tasks_of_an_earlier_plan_left_is_not_told_again(case: str) -> None:
    """Only what the task says that has this credential now."""
    plan, names, missing = CLEARED[case]
    reported = cleared(plan, left("etl", "rotated", 0), left("bi", "failed", 1))
    assert [one["name"] for one in reported.outcomes] == names
    assert reported.missing == missing
    assert ("bi (failed)" in reported.complaint) is ("bi" in names)


def test_a_refusal_in_a_task_is_an_outcome_with_its_reason() -> None:
    """An entry that was renamed, settings that were emptied: the task was not killed, and knows why."""
    from credential_rotation.tasks.airflow_ends import AirflowFailException  # noqa: PLC0415 - after Airflow's home is set
    from credential_rotation.tasks.run_context import words_about  # noqa: PLC0415 - as above

    reported, ti = read({(PLANNER, "return_value"): {-1: ["etl"]}})
    assert reported.missing == ("etl",)
    ti.map_index, context = 0, reported.context
    assert context is not None
    with (
        pytest.raises(AirflowFailException, match="there is no credential 'etl'"),
        words_about(context, "etl"),
    ):
        raise BadInput("there is no credential 'etl'", next_step="Trigger it by its name of today.")
    reported = report_of(ti)
    assert reported.complaint == "1 of 1 not done: etl (refused)"
    [failure] = reported.as_run(None, {}).failures(datetime.now(timezone.utc))
    assert failure.message.text == (
        "etl: rotation refused — nothing was changed\nthere is no credential 'etl'\n"
        "Next: Trigger it by its name of today."
    )


@pytest.mark.parametrize(
    ("params", "is_whole"), [({}, True), ({"credentials": []}, True), ({"credentials": ["etl"]}, False)]
)
def test_only_a_run_about_all_proves_that_a_whole_plan_can_be_made(
    params: dict[str, Any], *, is_whole: bool
) -> None:
    """What the form says was chosen."""
    reported = report_of(LeftBehind({(PLANNER, "return_value"): {-1: ["etl"]}}), params)
    assert reported.as_run(None, {}).is_planned_well is is_whole
