"""When a run is red, and what of it reaches Slack."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credential_rotation.outcome import DONE, HEALS_BY_ITSELF, OutcomeDict, told
from sandbox.slack import SlackStandIn
from simulators.scene import ETL

if TYPE_CHECKING:
    from credential_rotation.tasks.report import Reported

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")


def outcome(name: str, word: str, reason: str = "something was found") -> OutcomeDict:
    return told(replace(ETL, name=name), word, reason, next_step="Look at it.").as_dict()


def report(planned: tuple[str, ...] | None, *outcomes: OutcomeDict, **changed: Any) -> Reported:  # noqa: ANN401 - any field
    from credential_rotation.tasks.report import Reported  # noqa: PLC0415 - after Airflow's home is set

    fields: dict[str, Any] = {
        "work": "rotation",
        "run": "manual__1",
        "run_link": "https://airflow.example/dags/d/runs/manual__1",
        "planned": planned,
        "outcomes": outcomes,
        "links": {one["name"]: f"https://airflow.example/log/{one['name']}" for one in outcomes},
        "trouble": None,
        "is_tick": False,
    }
    return Reported(**fields | changed)


def messages(*reported: Reported) -> list[dict[str, Any]]:
    """What a channel gets that has heard of nothing before, of one run after the other."""
    with tempfile.TemporaryDirectory() as folder, SlackStandIn(Path(folder) / "slack") as slack:
        environ = {
            "SLACK_WEBHOOK_URL": slack.webhook_url,
            "ROTATION_DEPLOYMENT": "prod",
            "ROTATION_STATE_PATH": f"{folder}/state",
        }
        for one in reported:
            one.tell_people(environ, {"etl": "data-platform"})
        return slack.messages()


def texts(*reported: Reported) -> list[str]:
    """The first line of each message."""
    return [message["text"].splitlines()[0] for message in messages(*reported)]


def test_all_that_was_planned_happened_is_no_complaint() -> None:
    """And nobody is told."""
    good = report(("etl", "bi"), outcome("etl", "rotated"), outcome("bi", "unchanged"))
    assert good.complaint == ""
    assert texts(good) == []


def test_nothing_planned_is_no_complaint() -> None:
    """A quiet hour."""
    quiet = report(())
    assert (quiet.complaint, quiet.is_unconfigured, texts(quiet)) == ("", False, [])


@pytest.mark.parametrize("word", ["unproved", "waiting", "busy", "refused", "broken", "failed"])
def test_what_is_not_done_is_a_complaint(word: str) -> None:
    """The name and the word, and how many of how many."""
    assert report(("etl", "bi"), outcome("etl", word), outcome("bi", "ok")).complaint == (
        f"1 of 2 not done: etl ({word})"
    )


def test_a_tick_that_waits_for_the_next_one_is_green() -> None:
    """Else every hour is red while a task of nine hours holds an old value, and nobody looks any more."""
    assert report(("etl",), outcome("etl", "waiting"), is_tick=True).complaint == ""


def test_a_tick_that_found_everything_busy_is_not_green() -> None:
    """H5: what became of what was due, this run does not know."""
    assert report(("etl",), outcome("etl", "busy"), is_tick=True).complaint == "1 of 1 not done: etl (busy)"


@pytest.mark.parametrize("word", sorted(DONE))
def test_what_is_done_is_none(word: str) -> None:
    """Each word that means done."""
    assert report(("etl",), outcome("etl", word)).complaint == ""


def test_a_planned_credential_without_an_outcome_is_a_complaint() -> None:
    """Its task was killed, or never ran: told as loudly as a failure."""
    lost = report(("etl", "bi"), outcome("bi", "rotated"))
    assert (lost.missing, lost.complaint) == (("etl",), "no outcome of etl")
    [message] = messages(lost)
    assert "etl" in str(message)


def test_a_plan_that_was_not_made_is_a_complaint_with_its_reason() -> None:
    """Bitwarden was down while planning, say."""
    failed = report(None, trouble="no connection to Bitwarden. The next run tries again.")
    assert failed.complaint == "no connection to Bitwarden. The next run tries again."
    [message] = messages(failed)
    assert "no connection to Bitwarden" in message["text"]


def test_everything_that_is_wrong_is_said_together() -> None:
    """Trouble with some entries, a failure and a lost task in one run."""
    bad = report(("etl", "bi", "x"), outcome("etl", "failed"), outcome("bi", "ok"), trouble="a.yaml:3: half")
    assert bad.complaint == "a.yaml:3: half; 1 of 3 not done: etl (failed); no outcome of x"
    assert len(texts(bad)) == 2


def test_a_run_about_chosen_ones_does_not_prove_that_a_whole_plan_can_be_made() -> None:
    """It passes entries over that cannot be used; the next run about all tells whether they still are."""
    whole = report(("etl",), outcome("etl", "ok"), work="check", dag="verify_credentials")
    broken = replace(whole, trouble="entries that cannot be used: a.yaml:3")
    chosen = replace(whole, is_chosen=True)
    assert texts(broken, chosen, chosen) == ["Check: the run failed"]
    assert texts(broken, chosen, whole)[-1].startswith("verify_credentials: resolved")


@pytest.mark.parametrize("word", sorted(HEALS_BY_ITSELF))
def test_what_heals_by_itself_is_told_to_who_asked_and_not_every_hour(word: str) -> None:
    """The tick only waits for the next one; a person asked for now."""
    assert texts(report(("etl",), outcome("etl", word), is_tick=True)) == []
    [message] = messages(report(("etl",), outcome("etl", word), is_tick=False))
    assert "trigger it again" in message["text"]
    assert "https://airflow.example/log/etl" in str(message["blocks"])


def test_what_waits_for_a_pool_or_behind_the_brake_is_not_told_as_if_nothing_were_wrong() -> None:
    """Who asked for it reads that nothing was begun, and what to see to, alone and among many."""
    pool = "3 of earlier runs still wait to begin in pool 'db'"
    for names in (("etl",), tuple(f"c{number}" for number in range(9))):
        [message] = messages(report(names, *(outcome(name, "waiting", pool) for name in names)))
        assert "nothing is wrong" not in str(message).lower()
        assert pool in str(message)
        assert "Look at it. Scheduled runs do not know" in str(message)
    [alone] = messages(report(("etl",), outcome("etl", "waiting", pool)))
    assert alone["text"].startswith("etl: rotation waits — nothing new was begun")


@pytest.mark.parametrize("is_dry", [True, False])
def test_what_a_dry_run_could_give_to_no_task_does_not_wait(*, is_dry: bool) -> None:
    """Nothing was wanted of it but a look; who asked reads why there, and Slack and the list tell nothing."""
    rows = outcome("etl", "waiting"), outcome("bi", "waiting")
    left_out = report(("etl", "bi", "x"), *rows, is_dry=is_dry, left_out=frozenset({"etl", "bi"}))
    for others in (left_out.to_tell, left_out.untold):
        waits = [line for line in texts(others) if line.startswith(("etl", "bi"))]
        assert (len(waits), len(others.outcomes)) == ((0, 0) if is_dry else (2, 2))
        assert others.missing == ("x",)
    assert left_out.complaint == "2 of 3 not done: etl (waiting), bi (waiting); no outcome of x"


def test_many_that_wait_are_one_message_for_who_asked() -> None:
    """How many, why and which; a few are told one by one."""
    names = [f"c{number}" for number in range(30)]
    waits = [outcome(name, "waiting", "brake: 3 in a row failed; nothing new begins") for name in names]
    [message] = messages(report(tuple(names), *waits))
    assert message["text"].startswith("Rotation: 30 credentials that were asked for wait\nbrake: 3 in a row")
    assert "trigger it again" in message["text"]
    assert all(name in str(message["blocks"]) for name in names)
    assert len(messages(report(("a", "b"), outcome("a", "waiting"), outcome("b", "busy")))) == 2


def test_one_task_of_many_leaves_who_waits_to_the_report() -> None:
    """Thirty that the brake holds back would be thirty messages."""
    part = report(("etl",), outcome("etl", "waiting"), is_part=True)
    assert texts(part) == []


def test_a_failure_links_to_its_task_and_names_who_acts() -> None:
    """The log of the task, not only the run."""
    [message] = messages(report(("etl",), outcome("etl", "failed")))
    assert "https://airflow.example/log/etl" in str(message["blocks"])
    assert "data-platform" in str(message["blocks"])
    assert "prod" in str(message["blocks"])


def test_without_slack_it_is_logged_as_a_warning_and_nothing_is_raised(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Nobody asked for Slack."""
    report(("etl",), outcome("etl", "failed")).tell_people({"ROTATION_STATE_PATH": str(tmp_path)}, {})
    assert [(one.levelno, "Slack was not told" in one.message) for one in caplog.records] == [
        (logging.WARNING, True)
    ]


def test_a_slack_that_is_set_and_broken_is_logged_as_an_error_and_nothing_is_raised(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A rotation's result never depends on an alert."""
    half = {"SLACK_BOT_TOKEN": "xoxb-1", "ROTATION_STATE_PATH": str(tmp_path)}
    report(("etl",), outcome("etl", "failed")).tell_people(half, {})
    assert [one.levelno for one in caplog.records] == [logging.ERROR]


def test_the_log_has_a_line_for_each_credential(caplog: pytest.LogCaptureFixture) -> None:
    """For whoever opens the report's log."""
    with caplog.at_level(logging.INFO):
        report(("etl", "bi"), outcome("etl", "failed", "why"), outcome("bi", "ok", "fine")).log_all()
    assert [one.message for one in caplog.records] == ["etl: failed, why", "bi: ok, fine"]


def test_f6_a_failure_says_by_when_a_person_must_act() -> None:
    """Of each credential by its own policy; where that is over, or nearly, it comes first."""
    bad = report(
        ("etl", "bi"),
        outcome("etl", "failed"),
        outcome("bi", "failed"),
        act_by={"etl": "2026-02-03T03:00:00+00:00"},
    )
    shown = [str(message["blocks"]) for message in messages(bad)]
    assert ["2026-02-03 03:00 UTC, the end of its policy" in one for one in shown] == [True, False]


def test_only_what_somebody_asked_for_is_a_wish() -> None:
    """The next tick repeats its own work, and nobody's wish."""
    assert report(("etl",), is_tick=False).as_run(None, {}).is_wish
    assert not report(("etl",), is_tick=True).as_run(None, {}).is_wish
