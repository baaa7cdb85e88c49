"""What ends an incident and what does not, and an end that Slack could not be told at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from credential_rotation.outcome import OutcomeDict
from scenes.slack_channel import HOUR, TWO, Channel

pytest_plugins = ["scenes.slack_channel_fixtures"]

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
