"""A question to people on Slack: asked once, with its link, and ended by what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.alerts.approval_message import answered_message, question_message
from credential_rotation.alerts.people import teller_of
from credential_rotation.alerts.run import Run
from credential_rotation.alerts.slack import Sent
from credential_rotation.outcome import told
from credential_rotation.state.approvals import Question, QuestionBook
from sandbox.slack import SlackStandIn
from simulators.scene import ETL

pytest_plugins = ["scenes.airflow.imported"]

NOW = datetime(2026, 11, 26, 2, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
LINK = (
    "https://airflow.internal/base/dags/rotate_with_approval/runs/r1/tasks/rotate/mapped/7/required_actions"
)
LOG = "https://airflow.internal/base/dags/rotate_with_approval/runs/r1/tasks/rotate/mapped/7"
QUESTION = Question(
    name=ETL.name,
    asked_at=NOW,
    until=NOW + 8 * HOUR,
    again_at=NOW + 24 * HOUR,
    by="kim",
    run_id="r1",
    link=LINK,
)


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackStandIn]:
    with SlackStandIn(tmp_path_factory.mktemp("slack")) as running:
        yield running


@pytest.fixture
def environ(slack: SlackStandIn, tmp_path: Path) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_CHANNEL": slack.channel_name,
        "ROTATION_SLACK_API_URL": slack.api_url,
        "ROTATION_STATE_PATH": str(tmp_path),
    }


def ask(environ: dict[str, str], *, why: str = "an audit") -> Sent:
    message = question_message(QUESTION, why=why, owner="data-platform", by=["ben"], deployment="prod")
    sent = teller_of(environ, now=NOW).say(message, "question")
    assert isinstance(sent, Sent)
    return sent


def answer(environ: dict[str, str], at: Sent | None, words: str = "ben said no — refused") -> None:
    message = answered_message(QUESTION, words=words, reason="ben said no", link=LOG, deployment="prod")
    teller_of(environ, now=NOW + HOUR).follow(at, message, "answer")


def lines(slack: SlackStandIn, since: int) -> list[list[str]]:
    return [[one["text"].splitlines()[0] for one in thread] for thread in slack.threads()[since:]]


def test_a_question_says_who_until_when_and_where(slack: SlackStandIn, environ: dict[str, str]) -> None:
    """Everything that a person needs to answer, and a link to that very question."""
    ask(environ)
    message = slack.threads()[-1][0]
    assert message["text"].startswith("warehouse-etl: a new version waits for a person's yes")
    shown = str(message["blocks"])
    for words in ("kim", "ben", "2026-11-26 10:00 UTC", "data-platform", "an audit", LINK):
        assert words in shown


def test_a_reason_formats_and_pings_nobody(slack: SlackStandIn, environ: dict[str, str]) -> None:
    """It is a person's own text."""
    ask(environ, why="<!channel> *look* <https://evil.example|here>")
    assert "<!channel>" not in str(slack.threads()[-1][0])
    assert "<https://evil" not in str(slack.threads()[-1][0])


def test_an_answer_is_a_reply_and_the_question_reads_so_itself(
    slack: SlackStandIn, environ: dict[str, str]
) -> None:
    """Who comes late sees at once that nothing is to be done any more."""
    since = len(slack.threads())
    answer(environ, ask(environ))
    assert lines(slack, since) == [["warehouse-etl: ben said no — refused"] * 2]
    assert LINK not in str(slack.threads()[-1][0])


def test_trouble_with_the_credential_leaves_the_question_as_it_is(
    slack: SlackStandIn, environ: dict[str, str]
) -> None:
    """An incident has a thread of its own; the link to the question stays in its place."""
    since = len(slack.threads())
    ask(environ)
    broken = told(ETL, "broken", "the replica refuses it").as_dict()
    teller_of(environ, now=NOW + HOUR).tell(
        Run("check", "later", (broken,), dag="verify_credentials", planned=1)
    )
    [question, incident] = lines(slack, since)
    assert question == ["warehouse-etl: a new version waits for a person's yes"]
    assert incident[0].startswith("warehouse-etl: broken")


@pytest.mark.usefixtures("airflow")
def test_a_task_that_has_to_ask_again_tells_nobody_twice(
    slack: SlackStandIn, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was killed, or answered within a moment; the answer still finds its message."""
    from airflow.sdk import Context  # noqa: PLC0415 - after Airflow's home is set

    from credential_rotation.approval.told import put_question  # noqa: PLC0415 - as above

    for name, text in environ.items():
        monkeypatch.setenv(name, text)
    since = len(slack.threads())
    for _ in range(2):
        put_question(Context(), ETL, QUESTION, why="an audit", others=[])
    assert len(lines(slack, since)) == 1
    kept = QuestionBook(StateFolder(environ["ROTATION_STATE_PATH"])).of(ETL.name)
    assert kept is not None
    assert kept.ts == slack.threads()[since][0]["ts"]


def test_where_nobody_knows_the_question_the_answer_stands_alone(
    slack: SlackStandIn, environ: dict[str, str]
) -> None:
    """The state folder was lost; with a webhook it is always so."""
    since = len(slack.threads())
    answer(environ, None)
    hook = {"SLACK_WEBHOOK_URL": slack.webhook_url, "ROTATION_STATE_PATH": environ["ROTATION_STATE_PATH"]}
    answer(hook, ask(hook))
    told_by = [line for thread in lines(slack, since) for line in thread]
    assert told_by.count("warehouse-etl: ben said no — refused") == 2
