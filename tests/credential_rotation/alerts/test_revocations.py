"""Compromise mode on Slack: done is told to everybody, not done is an incident that nothing ordinary ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from credential_rotation.alerts.people import teller_of
from credential_rotation.alerts.revoked import revoked_message, tell_revoked
from credential_rotation.alerts.run import Run
from credential_rotation.alerts.situation import REVOCATION, needs_a_person, situation
from credential_rotation.outcome import OutcomeDict
from sandbox.slack import SlackStandIn

Make = Callable[..., OutcomeDict]
TWO = datetime(2026, 11, 26, 2, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
BROKEN = "version 4 is CURRENT, and proved; every value from before is dead; version 3 was still read by X"


def run(*outcomes: OutcomeDict, work: str = REVOCATION, **changed: Any) -> Run:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {"dag": "rotate_database_credentials", "by": "kim", "why": "seen in a chat"}
    return Run(work, "manual__1", outcomes, **fields | changed)


class Channel:
    """A channel, by the first line of each message."""

    def __init__(self, slack: SlackStandIn, state: Path) -> None:
        self.slack, self.now = slack, TWO
        self.environ = {
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_CHANNEL": slack.channel_name,
            "ROTATION_SLACK_API_URL": slack.api_url,
            "ROTATION_STATE_PATH": str(state),
        }

    def hear(self, told: Run) -> list[list[str]]:
        """What it has heard after this run, thread by thread."""
        teller = teller_of(self.environ, now=self.now)
        teller.tell(told)
        tell_revoked(teller, told)
        self.now += HOUR
        return [[one["text"].splitlines()[0] for one in thread] for thread in self.slack.threads()]


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with SlackStandIn(tmp_path / "slack") as slack:
        yield Channel(slack, tmp_path / "state")


def test_what_was_revoked_is_told_with_who_why_and_whom_it_breaks(
    outcome: Make, read: Callable[..., str], check_for_slack: Callable[..., None]
) -> None:
    """A task that fails tonight finds its reason here."""
    message = revoked_message([outcome("revoked", reason=BROKEN)], run())
    check_for_slack(message)
    text = read(message)
    for said in (
        "warehouse-etl: revoked",
        "Asked by: kim",
        "Why: seen in a chat",
        "still read by X",
        "restart",
    ):
        assert said in text


def test_an_hourly_run_that_sees_one_through_is_not_taken_for_who_asked(
    outcome: Make, read: Callable[..., str]
) -> None:
    """Nobody asked it; what it finished was asked for before."""
    hourly = run(outcome("revoked", reason=BROKEN), work="retirement")
    text = read(revoked_message(hourly.outcomes, hourly))
    assert "Asked by" not in text
    assert "Finished by" in text
    assert "an earlier revocation had not got to its end" in text


def test_many_at_once_are_one_message(
    channel: Channel, outcome: Make, check_for_slack: Callable[..., None]
) -> None:
    """A leaked vault means all of them."""
    many = [outcome("revoked", name=f"a-{n}", reason=BROKEN * 9) for n in range(60)]
    assert channel.hear(run(*many)) == [["60 credentials: revoked — every value from before is dead"]]
    check_for_slack(revoked_message(many, run()))


def test_done_is_told_once_and_nothing_else_is_told_of_it(channel: Channel, outcome: Make) -> None:
    """No incident, and no word of a dry run or of a retry that found it done."""
    told = [["warehouse-etl: revoked — every value from before is dead"]]
    assert channel.hear(run(outcome("revoked", reason=BROKEN))) == told
    assert channel.hear(run(outcome("unchanged"))) == told
    assert channel.hear(run(outcome("planned"), work="rotation")) == told


@pytest.mark.parametrize("word", ["failed", "unproved", "busy", "waiting", "refused"])
def test_what_is_not_done_needs_a_person(outcome: Make, word: str) -> None:
    """Also what would heal by itself anywhere else: no scheduled run revokes."""
    found = outcome(word, old_value="works", next_step="Mend it.")
    assert needs_a_person(found, REVOCATION)
    told = situation(found, REVOCATION)
    assert told.words == "revocation not finished — the old password still works"
    assert "may be in wrong hands" in told.old
    assert told.heals.startswith("No")
    assert told.next_step.startswith("Mend it. ")
    assert "ask for compromise mode again" in told.next_step
    assert told.urgency <= 1


def after(outcome: Make, word: str, version: int, old_value: str | None, work: str) -> Run:
    return run(outcome(word, version=version, old_value=old_value), work=work)


def failed(outcome: Make) -> Run:
    return run(outcome("failed", version=3, old_value="works", reason="db does not answer"))


@pytest.mark.parametrize(
    "later",
    [
        ("rotated", 4, None, "rotation"),  # in grace, the old value lives on
        ("rotated", 4, "refused", "rotation"),  # who logged in with the old value before still is
        ("retired", 3, "refused", "retirement"),  # that was the one before
        ("retired", 4, "refused", "retirement"),  # as the second
        ("unchanged", 3, None, "rotation"),
        ("ok", 3, None, "check"),
    ],
)
def test_an_ordinary_run_does_not_end_it(
    channel: Channel, outcome: Make, later: tuple[str, int, str | None, str]
) -> None:
    """It ends no session that was opened with the value from before."""
    [[first]] = channel.hear(failed(outcome))
    assert first == "warehouse-etl: revocation not finished — the old password still works"
    channel.hear(after(outcome, *later))
    assert teller_of(channel.environ).book.all()


def test_it_ends_as_revoked(channel: Channel, outcome: Make) -> None:
    """By compromise mode, asked for again."""
    channel.hear(failed(outcome))
    threads = channel.hear(after(outcome, "revoked", 4, "refused", REVOCATION))
    assert threads[0][-1].startswith("warehouse-etl: resolved")
    assert not teller_of(channel.environ).book.all()


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (("failed", 3, "works", "retirement"), ("recovered", 3, None, "retirement")),
        (("unproved", 3, None, "check"), ("ok", 3, None, "check")),
    ],
)
def test_an_ordinary_failure_meanwhile_does_not_take_its_place(
    channel: Channel,
    outcome: Make,
    worse: tuple[str, int, str | None, str],
    better: tuple[str, int, str | None, str],
) -> None:
    """It is told below; what mends it leaves the revocation open, and the first message says so."""
    channel.hear(failed(outcome))
    channel.hear(after(outcome, *worse))
    [thread] = channel.hear(after(outcome, *better))
    assert thread == ["warehouse-etl: revocation not finished — the old password still works"] * 2
    assert teller_of(channel.environ).book.all()
    [thread, done] = channel.hear(after(outcome, "revoked", 4, "refused", REVOCATION))
    assert thread[-1].startswith("warehouse-etl: resolved")
    assert done == ["warehouse-etl: revoked — every value from before is dead"]


def test_a_lockout_meanwhile_is_told_once_with_what_it_is(channel: Channel, outcome: Make) -> None:
    """To the whole channel; the same again an hour later is no news."""
    channel.hear(failed(outcome))
    for _ in range(2):
        channel.hear(after(outcome, "failed", 3, "refused", "rotation"))
    [[first, reply]] = channel.slack.threads()
    assert "rotation failed — the stored password is refused" in reply["text"]
    assert reply["reply_broadcast"] is True
    assert "ask for compromise mode again" in str(first["blocks"])
