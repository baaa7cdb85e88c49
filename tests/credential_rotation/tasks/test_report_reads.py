"""What a report makes of what planner and mapped tasks left behind, or did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.outcome import told
from credential_rotation.planning.brake import brake_pulled
from credential_rotation.state.history import Asked, keep_run
from simulators.scene import ETL

if TYPE_CHECKING:
    from credential_rotation.tasks.report import Reported

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

PLANNER, WORKER = "plan_rotations", "rotate"


Kept = dict[tuple[str, str], Mapping[int, Any]]


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

    @staticmethod
    def get_task_states(**_: object) -> Mapping[str, Mapping[str, str]]:
        """Of tasks that all ended, each as its word says; what says otherwise is in `test_cleared_runs`."""
        return {}


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


def test_an_outcome_that_older_code_left_is_told_with_what_is_missing_in_it() -> None:
    """A run that began before an upgrade: the report of today must not die of it, nor guess."""
    old = {name: value for name, value in left("etl", "rotated", 0).items() if name != "map_index"}
    kept: Kept = {
        (PLANNER, "return_value"): {-1: ["etl", "bi"]},
        (WORKER, "outcome"): {0: old, 1: left("bi", "ok", 1)},
    }
    reported, _ = read(kept)
    assert [one["name"] for one in reported.outcomes] == ["bi"]
    assert reported.complaint == (
        "the outcome of etl cannot be used: it has no map_index; did other code begin this run?; "
        "no outcome of etl"
    )
    [found, *_] = reported.as_run(None, {}).own_trouble()
    assert "it has no map_index" in found.message.text


def test_what_nobody_can_use_of_an_earlier_plan_is_not_told() -> None:
    """It is about nobody who is in this one, or who left something better."""
    old = {**left("gone", "rotated", 1), "map_index": None}
    again = {**left("etl", "rotated", 1), "map_index": None}
    kept: Kept = {
        (PLANNER, "return_value"): {-1: ["etl"]},
        (WORKER, "outcome"): {0: left("etl", "ok", 0), 1: old, 2: again},
    }
    reported, _ = read(kept)
    assert (len(reported.outcomes), reported.complaint) == (1, "")


JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    7,
    1.5,
    "junk",
    "2026-01-01",
    [],
    ["junk"],
    [{}],
    {},
    {"junk": 1},
    [{"step": "x", "at": 3}],
)


@pytest.mark.parametrize("name", [*left("etl", "failed", 0), "act_by", "is_answer"])
def test_a_report_dies_of_nothing_that_it_finds(name: str, tmp_path: Path) -> None:
    """Whatever is in one field, or missing: it is told, logged, and red."""
    environ = {"ROTATION_STATE_PATH": str(tmp_path)}
    for number, junk in enumerate((*JUNK, "missing")):
        one = {**left("etl", "failed", 0), name: junk}
        if junk == "missing":
            del one[name]
        for odd in (one, junk):
            kept: Kept = {
                (PLANNER, "return_value"): {-1: ["etl", "bi"]},
                (WORKER, "outcome"): {0: odd, 1: left("bi", "ok", 1)},
            }
            reported, _ = read(kept)
            reported.tell_people(environ, {})
            reported.log_all()
            keep_run(
                environ,
                Asked(by="kim", run_id=str(number)),
                reported.outcomes,
                missing=reported.missing,
                now=datetime.now(timezone.utc),
            )
            assert reported.complaint or name == "is_answer", f"{name}: {junk!r}"
            assert "bi" not in reported.missing


@pytest.mark.parametrize("key", ["return_value", "trouble", "unconfigured", "shares"])
def test_nor_of_what_a_planner_left(key: str, tmp_path: Path) -> None:
    """A plan is names; what is none was not made."""
    for junk in JUNK:
        tasks: Mapping[int, Any] = {0: left("etl", "failed", 0)}
        reported, _ = read(
            {(PLANNER, "return_value"): {-1: ["etl"]}, (PLANNER, key): {-1: junk}, (WORKER, "outcome"): tasks}
        )
        reported.tell_people({"ROTATION_STATE_PATH": str(tmp_path)}, {})
        assert reported.complaint or junk == [], repr(junk)


@pytest.mark.parametrize(("part", "whole"), [("names", {}), ("left_out", []), ("a lane", [])])
def test_a_plan_of_which_one_part_is_strange_was_not_made(part: str, whole: object) -> None:
    """Red and told: half of it would leave out somebody, or end the report."""
    for junk in JUNK:
        lanes = {"": ["etl"], **({"pool-db": junk} if part == "a lane" else {})}
        shares = {"names": lanes, "left_out": [], part: junk}
        if junk == ["junk"] and part == "a lane":
            continue  # a name like any other
        reported, _ = read({(PLANNER, "return_value"): {-1: ["etl"]}, (PLANNER, "shares"): {-1: shares}})
        assert ("the plan was not made" in reported.complaint) is (junk != whole), repr(junk)


def test_the_brake_dies_of_nothing_either() -> None:
    """It reads the same."""
    from credential_rotation.tasks.handed_on import left_in, shares_of  # noqa: PLC0415 - beside the others

    for junk in JUNK:
        odd = {**left("etl", "failed", 0), "consumers": junk}
        ti = LeftBehind({(PLANNER, "return_value"): {-1: ["etl"]}, (WORKER, "outcome"): {0: junk, 1: odd}})
        shares = shares_of(ti, [PLANNER])
        assert shares is not None
        assert brake_pulled(left_in(ti, WORKER, shares, is_tick=True).outcomes, 2) is None


def test_many_that_cannot_be_used_are_counted() -> None:
    """A message has room for a few."""
    names = [f"c-{number}" for number in range(40)]
    kept: Kept = {
        (PLANNER, "return_value"): {-1: names},
        (WORKER, "outcome"): {at: {**left(name, "ok", at), "steps": 1} for at, name in enumerate(names)},
    }
    reported, _ = read(kept)
    assert (reported.trouble or "").count("it has a strange steps") == 5
    assert "; and 35 more; did other code" in (reported.trouble or "")
