"""Two hundred failures in one run, and Slack takes nothing: little is sent or waited for, all is logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credential_rotation.alerts.message import Message
from credential_rotation.alerts.sharing import MOST_ALONE
from credential_rotation.outcome import OutcomeDict, told
from sandbox.slack import SlackStandIn
from simulators.scene import ETL

if TYPE_CHECKING:
    from credential_rotation.tasks.report import Reported

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

NAMES = tuple(f"credential-{number:03}" for number in range(200))
ONE_RUN = MOST_ALONE + 1
"""Messages of a run, however much fails: one that counts, and the worst below it."""


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[SlackStandIn]:
    with SlackStandIn(tmp_path / "slack") as slack:
        yield slack


def calls(tmp_path: Path) -> int:
    """How often Slack was called, by its own log."""
    return (tmp_path / "slack" / "slack.log").read_text().count("POST ")


def storm() -> Reported:
    from credential_rotation.tasks.report import Reported  # noqa: PLC0415 - after Airflow's home is set

    outcomes = [told(replace(ETL, name=name), "failed", f"{name} broke").as_dict() for name in NAMES]
    return Reported(
        work="rotation",
        run="r1",
        run_link="https://airflow.example/r1",
        planned=NAMES,
        outcomes=tuple(outcomes),
        links={},
        trouble=None,
        is_tick=True,
    )


def bot(slack: SlackStandIn, tmp_path: Path) -> dict[str, str]:
    return {
        "ROTATION_STATE_PATH": str(tmp_path / "state"),
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_CHANNEL": slack.channel,
        "ROTATION_SLACK_API_URL": slack.api_url,
    }


def test_f3_a_slack_that_says_later_for_ten_minutes_is_asked_once_and_not_waited_for(
    slack: SlackStandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without its first message a thread has no others; no alert about an alert, and the same result."""
    reported = storm()
    slack.rate_limit(10_000, retry_after=30)
    before, began = calls(tmp_path), time.monotonic()
    reported.tell_people(bot(slack, tmp_path), {})
    assert time.monotonic() - began < 5
    assert calls(tmp_path) - before == 1
    assert reported.complaint.startswith("200 of 200 not done")
    [error] = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert "ratelimited" in error
    assert "200 credentials need a person" in error


def test_f3_a_slack_that_says_soon_and_never_means_it_is_left_when_time_is_up(
    slack: SlackStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most four calls for each message, and all messages of a run share one patience."""
    monkeypatch.setattr("credential_rotation.alerts.slack.SlackSender.from_environment", _impatient())
    slack.rate_limit(10_000, retry_after=1)
    before, began = calls(tmp_path), time.monotonic()
    storm().tell_people(bot(slack, tmp_path), {})
    assert time.monotonic() - began < 2 * _PATIENCE
    assert calls(tmp_path) - before <= 4 * ONE_RUN


_PATIENCE = 3.0


def _impatient() -> Any:  # noqa: ANN401 - a class's own way to be made
    from credential_rotation.alerts.slack import SlackSender  # noqa: PLC0415 - before it is replaced

    made = SlackSender.from_environment
    return lambda environ, **more: made(environ, patience=_PATIENCE, **more)


def test_f3_what_slack_refuses_is_logged_and_stops_no_other_message(
    slack: SlackStandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`invalid_blocks` once: that message stands in the log in its own words; the others arrive once."""
    from credential_rotation.alerts.run import Run  # noqa: PLC0415 - before it is changed

    about = Run.about

    def first_one_broken(run: Run, outcome: OutcomeDict) -> Message:
        message = about(run, outcome)
        if outcome["name"] != NAMES[0]:
            return message
        return replace(message, blocks=({"type": "header", "text": {"type": "mrkdwn", "text": "x"}},))

    monkeypatch.setattr(Run, "about", first_one_broken)
    before = calls(tmp_path)
    storm().tell_people(bot(slack, tmp_path), {})
    assert calls(tmp_path) - before == ONE_RUN
    assert len(slack.messages()) == ONE_RUN - 1
    [error] = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert "invalid_blocks" in error
    assert f"{NAMES[0]}: rotation failed" in error
    assert f"{NAMES[0]} broke" in error
