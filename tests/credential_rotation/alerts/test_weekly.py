"""The weekly summary, and what the digest says of incidents that stay open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.alerts.digest import long_open
from credential_rotation.alerts.incident import Member, met_again, opened
from credential_rotation.alerts.message import Message
from credential_rotation.alerts.people import teller_of
from credential_rotation.alerts.slack import NotSent
from credential_rotation.alerts.weekly import (
    checkpoints_in,
    is_time,
    tell_week,
    was_sent,
    week_of,
    weekly_message,
)
from credential_rotation.journal.records import RecordName
from credential_rotation.model import Policy
from credential_rotation.planning.planning import Known
from sandbox.slack import SlackStandIn
from scenes.audit.trail import write_trail
from simulators.scene import ETL

THURSDAY = datetime(2026, 11, 26, 7, 45, tzinfo=timezone.utc)
DAY = timedelta(days=1)
QUARTERLY = Policy("quarterly", max_age=90 * DAY)


def test_it_is_sent_on_mondays_or_after_seven_days_and_never_at_first(tmp_path: Path) -> None:
    """A Monday without a watchdog is made up for; the first run ever only begins a week."""
    folder = StateFolder(str(tmp_path))
    sent = []
    for day in range(25):
        now = THURSDAY + day * DAY
        if day in {11, 12}:  # a Monday and a Tuesday without Airflow
            continue
        if is_time(folder, now):
            sent.append(f"{now:%a %d}")
            was_sent(folder, now)
    assert sent == ["Mon 30", "Wed 09", "Mon 14"]


def test_two_runs_on_one_monday_are_one_summary(tmp_path: Path) -> None:
    """Somebody clears the watchdog's run, or triggers it: the channel was told this morning."""
    folder, monday = StateFolder(str(tmp_path)), THURSDAY + 4 * DAY
    was_sent(folder, THURSDAY)
    sent = []
    for hours in (0, 1, 12):
        if is_time(folder, monday + timedelta(hours=hours)):
            sent.append(hours)
            was_sent(folder, monday + timedelta(hours=hours))
    assert sent == [0]


def test_without_its_folder_nothing_is_sent_twice_a_week(tmp_path: Path) -> None:
    """And nothing is raised."""
    (tmp_path / "file").write_text("")
    assert not is_time(StateFolder(str(tmp_path / "file" / "state")), THURSDAY)


def _known(age: int) -> Known:
    return Known((RecordName("id", ETL.name, 4, THURSDAY - age * DAY, "a"),), has_current=True)


def test_each_credential_stands_where_its_week_was(check_for_slack: Callable[[Message], None]) -> None:
    """Rotated, overdue, refused where it is used, due next week; what is none of it is left out."""
    ages = {"young": 3, "quiet": 30, "soon": 86, "late": 95}
    credentials = [replace(ETL, name=name, policy=QUARTERLY) for name in ages]
    broken = opened("incidents/quiet", [Member("quiet", "check", "broken", "broken", "x")], THURSDAY)
    known = {name: _known(age) for name, age in ages.items()}
    week = week_of(credentials, known, [broken], THURSDAY, ["agent-1: line 4 at 07:00, abcd"])
    assert (week.rotated, week.overdue, week.drifted, week.coming) == (
        ("young",),
        ("late",),
        ("quiet",),
        ("soon (Mon 30 Nov)",),
    )
    message = weekly_message(week, deployment="prod", run="r")
    check_for_slack(message)
    assert message.text == "Credentials this week: 1 rotated, 1 overdue, 1 drifted, 1 due next week"
    assert "agent-1: line 4" in str(message.blocks)


def test_a_thousand_credentials_fit(check_for_slack: Callable[[Message], None]) -> None:
    """With names as long as they may be, and a dozen agents."""
    names = [f"{number:04}".ljust(100, "x") for number in range(1000)]
    credentials = [replace(ETL, name=name, policy=QUARTERLY) for name in names]
    known = {name: _known(number % 100) for number, name in enumerate(names)}
    week = week_of(credentials, known, [], THURSDAY, ["agent".ljust(300, "x")] * 12)
    check_for_slack(weekly_message(week, deployment="prod", run="r"))


def test_the_newest_checkpoints_are_read_from_the_trail(tmp_path: Path) -> None:
    """Line and digest, which somebody can compare later; without a trail there are none."""
    write_trail(tmp_path)
    [said] = checkpoints_in({"BITWARDEN_AUDIT_PATH": str(tmp_path)})
    assert ": line 23 at 20" in said
    assert checkpoints_in({}) == ()
    assert checkpoints_in({"BITWARDEN_AUDIT_PATH": str(tmp_path / "nowhere")}) == ()


def test_what_slack_did_not_take_is_sent_on_the_next_day(tmp_path: Path) -> None:
    """A week's summary is not lost to an hour's outage."""
    with SlackStandIn(tmp_path / "slack") as slack:
        environ = {"SLACK_WEBHOOK_URL": slack.webhook_url, "ROTATION_STATE_PATH": str(tmp_path / "state")}
        was_sent(StateFolder(environ["ROTATION_STATE_PATH"]), THURSDAY - 7 * DAY)
        slack.outage(on=True)
        assert isinstance(tell_week(teller_of(environ, now=THURSDAY), environ, [], {}, run="r"), NotSent)
        slack.outage(on=False)
        tell_week(teller_of(environ, now=THURSDAY + DAY), environ, [], {}, run="r")
        assert tell_week(teller_of(environ, now=THURSDAY + 2 * DAY), environ, [], {}, run="r") is None
        [message] = slack.messages()
    assert "could not be told once" in str(message["blocks"])


@pytest.mark.parametrize(("hours", "is_told"), [(23, False), (25, True)])
def test_an_incident_that_is_open_for_a_day_is_in_the_digest(hours: int, *, is_told: bool) -> None:
    """Nobody is woken by a first message that changes; once a day is enough."""
    found = [Member("etl", "rotation", "failed", "rotation failed", "x")]
    incident = met_again(opened("incidents/etl", found, THURSDAY), found, THURSDAY)
    told = long_open([incident], THURSDAY + timedelta(hours=hours))
    assert [one.name for one in told] == (["etl"] if is_told else [])
    assert all("rotation failed; open since 2026-11-26 07:45 UTC, met 2 times" in one.what for one in told)
