"""Slack's thread about a value that a person has to hand on: opened at once, and over when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from credential_rotation.alerts.people import teller_of
from credential_rotation.alerts.run import Run
from credential_rotation.model import Consumer
from credential_rotation.outcome import Outcome
from sandbox.slack import SlackStandIn
from simulators.scene import GRACE, Scene, rotated_scene

MINUTE = timedelta(minutes=1)


@pytest.fixture(name="slack", scope="module")
def _slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackStandIn]:
    with SlackStandIn(tmp_path_factory.mktemp("slack")) as slack:
        yield slack


class Desk:
    """A pair that was rotated, whose new value Looker needs by hand, and what Slack hears of it."""

    def __init__(self, slack: SlackStandIn, state: Path) -> None:
        self.slack = slack
        self.environ = {
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_CHANNEL": slack.channel_name,
            "ROTATION_SLACK_API_URL": slack.api_url,
            "ROTATION_STATE_PATH": str(state),
        }
        self.scene: Scene = rotated_scene(pair=True)
        self.scene.consumers.by_hand = (Consumer("manual", "Looker", "bi"),)
        self._before = len(slack.threads())

    def tell(self, outcome: Outcome, work: str) -> None:
        run = Run(work=work, run="scheduled", outcomes=(outcome.as_dict(),), dag=f"{work}_dag", planned=1)
        teller_of(self.environ, now=self.scene.world.now).tell(run)

    def repair(self, after: timedelta) -> Outcome:
        """The hourly run, so much later."""
        self.scene.world.pass_time(after)
        outcome = self.scene.run()
        self.tell(outcome, "retirement")
        return outcome

    def confirm(self) -> None:
        newest = max(self.scene.vault.records.values(), key=lambda one: one.order)
        self.scene.consumers.confirmed.add(("Looker", newest.epoch, newest.attempt))

    @property
    def threads(self) -> list[list[str]]:
        return [[one["text"] for one in thread] for thread in self.slack.threads()[self._before :]]


@pytest.fixture(name="desk")
def _desk(slack: SlackStandIn, tmp_path: Path) -> Desk:
    return Desk(slack, tmp_path / "state")


def test_h3_one_thread_from_the_rotation_to_the_dead_value(desk: Desk) -> None:
    """Hours in which it only waits neither end it nor add to it."""
    desk.tell(desk.scene.rotate_now(), "rotation")
    [[opened]] = desk.threads
    assert "rotated, but not all is proved" in opened
    assert "manual Looker" in opened
    for after in (MINUTE, GRACE, timedelta(days=1)):
        assert desk.repair(after).outcome == "waiting"
    assert len(desk.threads) == 1
    assert len(desk.threads[0]) == 1
    desk.confirm()
    assert desk.repair(MINUTE).outcome == "retired"
    [[first, *_, last]] = desk.threads
    assert "resolved" in first
    assert "resolved" in last


def test_h3_past_the_deadline_the_thread_says_so_and_what_to_do(desk: Desk) -> None:
    """The command stands in what people read, not only in a log."""
    desk.tell(desk.scene.rotate_now(), "rotation")
    assert desk.repair(timedelta(days=9)).outcome == "unproved"
    [[_, later]] = desk.threads
    assert "was the day for it" in later
    assert "confirm warehouse-etl --consumer Looker --version 2" in later


def test_h3_compromise_mode_opens_no_incident_for_who_has_to_be_given_the_new_value(desk: Desk) -> None:
    """It is done; who is broken stands in its reason."""
    revoked = desk.scene.revoke()
    desk.tell(revoked, "rotation")
    assert revoked.outcome == "revoked"
    assert desk.threads == []
