"""What ends an incident and what does not, and an end that Slack could not be told at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from credential_rotation.alerts.digest import long_open
from credential_rotation.alerts.people import teller_of
from credential_rotation.alerts.situation import REVOCATION
from credential_rotation.outcome import OutcomeDict
from scenes.slack.channel import HOUR, TWO, Channel

pytest_plugins = ["scenes.slack.fixtures"]

Make = Callable[..., OutcomeDict]
FOREIGN = "the stamp of another journal"
CHECK = {"work": "check", "dag": "verify_credentials"}


def test_a_check_does_not_end_what_was_refused(bot: Channel, outcome: Make) -> None:
    """Nothing was changed, so that CURRENT works as before: the next refusal is the same incident."""
    bot.tell(TWO, outcome("refused", reason=FOREIGN))
    bot.tell(TWO + HOUR, outcome("ok"), **CHECK)
    bot.tell(TWO + 2 * HOUR, outcome("refused", reason=FOREIGN))
    assert bot.threads == [["warehouse-etl: rotation refused — nothing was changed"]]


@pytest.mark.parametrize("word", ["rotated", "unchanged"])
def test_what_was_refused_is_over_when_the_same_work_is_no_longer(
    bot: Channel, outcome: Make, word: str
) -> None:
    """It was done, or finds nothing left to do."""
    bot.tell(TWO, outcome("refused", reason=FOREIGN))
    bot.tell(TWO + HOUR, outcome(word))
    assert bot.threads == [["warehouse-etl: resolved after 60 minutes"] * 2]


def test_a_wish_that_was_refused_is_over_with_the_next_proof(bot: Channel, outcome: Make) -> None:
    """Asked for outside of its window: no run asks for it again."""
    bot.tell(TWO, outcome("refused", reason="outside its window"), is_wish=True)
    bot.tell(TWO + HOUR, outcome("ok"), **CHECK)
    assert bot.threads == [["warehouse-etl: resolved after 60 minutes"] * 2]


def test_nothing_stored_yet_does_not_end_a_first_rotation_that_failed(bot: Channel, outcome: Make) -> None:
    """A check that found no version has proved none."""
    bot.tell(TWO, outcome("failed", version=None, reason="the admin lacks a privilege"))
    bot.tell(TWO + HOUR, outcome("unchanged", version=None, reason="nothing is stored yet"), **CHECK)
    assert len(bot.threads[0]) == 1
    bot.tell(TWO + 2 * HOUR, outcome("rotated", version=1))
    assert bot.threads == [["warehouse-etl: resolved after 2 hours"] * 2]


def test_an_end_that_slack_did_not_hear_of_is_told_later(bot: Channel, outcome: Make) -> None:
    """By whatever run is next, with when it was over and by what; nobody goes on looking for it."""
    bot.tell(TWO, outcome("failed", old_value="works"))
    bot.slack.outage(on=True)
    bot.tell(TWO + HOUR, outcome("rotated", reason="version 4 is CURRENT"))
    bot.slack.outage(on=False)
    bot.tell(TWO + 30 * HOUR, outcome("waiting"))
    assert bot.threads == [["warehouse-etl: resolved after 60 minutes"] * 2]
    assert "rotated, version 4 is CURRENT" in bot.first


@pytest.mark.parametrize(
    ("begun", "ended"),
    [
        (("failed", REVOCATION), ("revoked", REVOCATION)),
        (("refused", "rotation"), ("rotated", "rotation")),
    ],
)
def test_what_only_one_outcome_ends_is_over_though_slack_did_not_hear_it(
    bot: Channel, outcome: Make, begun: tuple[str, str], ended: tuple[str, str]
) -> None:
    """It does not happen twice: the digest leaves it out, and the next check tells it."""
    bot.tell(TWO, outcome(begun[0]), work=begun[1])
    bot.slack.outage(on=True)
    bot.tell(TWO + HOUR, outcome(ended[0], version=4), work=ended[1])
    assert long_open(teller_of(bot.environ).book.all(), TWO + 30 * HOUR) == []
    bot.slack.outage(on=False)
    bot.tell(TWO + 30 * HOUR, outcome("ok", version=4), **CHECK)
    assert bot.threads == [["warehouse-etl: resolved after 60 minutes"] * 2]
    assert teller_of(bot.environ).book.all() == []


def test_what_fails_again_before_slack_heard_of_its_end_goes_on_in_its_thread(
    bot: Channel, outcome: Make
) -> None:
    """As the failure that it is now, and open until that is over."""
    bot.tell(TWO, outcome("failed"), work=REVOCATION)
    bot.slack.outage(on=True)
    bot.tell(TWO + HOUR, outcome("revoked", version=4), work=REVOCATION)
    bot.slack.outage(on=False)
    bot.tell(TWO + 2 * HOUR, outcome("failed", old_value="works"))
    [[first, reply]] = bot.threads
    assert first == reply == "warehouse-etl: rotation failed — the old password still works"
    bot.tell(TWO + 3 * HOUR, outcome("rotated"))
    assert bot.threads[0][-1] == "warehouse-etl: resolved after 3 hours"
