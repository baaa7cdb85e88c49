"""A question whose task was ended without an answer: nobody can answer it, and nobody waits for that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.state.approvals import APPROVED, Question, QuestionBook
from sandbox.slack import SlackStandIn
from scenes.airflow.lanes import DB, PLANNER, WORKER, Kept, context_of, shared
from simulators.scene import ETL

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

NOW = datetime.now(timezone.utc)
QUESTION = Question(
    name="bi",
    asked_at=NOW,
    until=NOW + timedelta(hours=8),
    again_at=NOW + timedelta(days=1),
    by="kim",
    run_id="r1",
    link="https://airflow.example/question",
)


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[SlackStandIn]:
    with SlackStandIn(tmp_path / "slack") as running:
        yield running


@pytest.fixture
def book(tmp_path: Path, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch) -> QuestionBook:
    for name, text in (
        ("ROTATION_STATE_PATH", str(tmp_path / "state")),
        ("SLACK_BOT_TOKEN", slack.token),
        ("SLACK_CHANNEL", slack.channel_name),
        ("ROTATION_SLACK_API_URL", slack.api_url),
    ):
        monkeypatch.setenv(name, text)
    return QuestionBook(StateFolder(str(tmp_path / "state")))


def report_says(kept: Kept) -> str:
    """Why the report of a run is red that asked about `bi`, in its lane, and whose task left nothing."""
    from airflow.sdk.execution_time.context import set_current_context  # noqa: PLC0415 - after Airflow's home is set

    from credential_rotation.approval.tasks import report_approvals  # noqa: PLC0415 - as above
    from credential_rotation.tasks.airflow_ends import AirflowFailException  # noqa: PLC0415 - as above

    shared(kept, ["bi"], entries=[replace(ETL, name="bi", pool="db")])
    kept.states[f"{WORKER}.{DB}_0"] = "failed"
    with set_current_context(context_of(kept)), pytest.raises(AirflowFailException) as red:
        report_approvals.function(worker=WORKER, planner=PLANNER)
    return str(red.value)


def test_a_question_in_a_lane_that_went_waits_for_nobody(book: QuestionBook, slack: SlackStandIn) -> None:
    """Page and planners said for hours that a person may answer; the next hour may ask anew."""
    book.keep(QUESTION)
    assert report_says(Kept()) == "no outcome of bi"
    ended = book.of("bi")
    assert ended is not None
    assert not ended.is_waiting(NOW)
    assert not ended.holds_off(NOW)
    assert ended.why == "its task was ended, and nobody can answer any more"
    [told] = [one for one in slack.messages() if one["text"].startswith("bi: nobody can answer any more")]
    assert "https://airflow.example/question" not in str(told)


@pytest.mark.parametrize(
    "other",
    [replace(QUESTION, run_id="another"), replace(QUESTION, state=APPROVED)],
    ids=["later", "answered"],
)
def test_a_question_of_another_run_or_with_an_answer_stays(book: QuestionBook, other: Question) -> None:
    """What was asked since is still open; what was said was said."""
    book.keep(other)
    assert report_says(Kept()) == "no outcome of bi"
    assert book.of("bi") == other


STRANGE = {"its name": {"name": ["bi"]}, "its run": {"run_id": 7}, "its message": {"channel": {}, "ts": 1}}


@pytest.mark.parametrize("case", STRANGE.values(), ids=STRANGE)
def test_a_strange_document_among_questions_keeps_no_report_from_telling(
    book: QuestionBook, tmp_path: Path, slack: SlackStandIn, case: dict[str, object]
) -> None:
    """The folder is shared: one that is none of ours is no question, and what was lost is told."""
    book.keep(QUESTION)
    folder = StateFolder(str(tmp_path / "state"))
    folder.write("approvals/other", {**(folder.read("approvals/bi") or {}), "name": "other", **case})
    assert report_says(Kept()) == "no outcome of bi"
    assert set(book.all()) == {"bi"}
    assert [one for one in slack.messages() if "no outcome" in str(one)]
