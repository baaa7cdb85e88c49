"""Incidents of entries that were removed or renamed: the watchdog ends them, and says so once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from credential_rotation.alerts.people import teller_of
from credential_rotation.alerts.removed import tell_removed
from credential_rotation.alerts.situation import REVOCATION
from credential_rotation.inventory.inventory import load_inventory
from credential_rotation.outcome import OutcomeDict
from scenes.inventory.entries import folder, simple
from scenes.slack.channel import HOUR, TWO, Channel

pytest_plugins = ["scenes.slack.fixtures"]

Make = Callable[..., OutcomeDict]
LATER = TWO + timedelta(days=3)
NOBODY = "no entry has this name any more"


def watch(channel: Channel, include: Path) -> None:
    """What the watchdog does about it, once a day."""
    tell_removed(teller_of(channel.environ, now=LATER), load_inventory(include), run="scheduled__1")


def kept(channel: Channel) -> list[str]:
    """Who is still in an incident."""
    return [name for one in teller_of(channel.environ).book.all() for name in one.names]


@pytest.mark.parametrize("work", ["rotation", REVOCATION])
def test_the_incident_of_a_removed_entry_ends_and_is_not_called_resolved(
    bot: Channel, outcome: Make, tmp_path: Path, work: str
) -> None:
    """Nothing looks at it any more, so that nothing else would ever end it."""
    bot.tell(TWO, outcome("failed", old_value="works"), work=work)
    for _ in range(2):
        watch(bot, folder(tmp_path, a="credentials:\n" + simple("another")))
    assert bot.threads == [["warehouse-etl: no longer watched, after 3 days"] * 2]
    assert NOBODY in bot.first
    assert kept(bot) == []


def test_one_that_slack_did_not_hear_of_is_said_on_the_next_day(
    bot: Channel, outcome: Make, tmp_path: Path
) -> None:
    """And until then it is over."""
    include = folder(tmp_path, a="credentials:\n" + simple("another"))
    bot.tell(TWO, outcome("failed"))
    bot.slack.outage(on=True)
    watch(bot, include)
    bot.slack.outage(on=False)
    watch(bot, include)
    assert bot.threads == [["warehouse-etl: no longer watched, after 3 days"] * 2]
    assert kept(bot) == []


def test_of_a_storm_only_those_that_were_removed_are_let_go(
    bot: Channel, outcome: Make, tmp_path: Path
) -> None:
    """The others go on, and are resolved as ever."""
    bot.tell(TWO, *(outcome("failed", name=f"c{n}") for n in range(6)))
    watch(bot, folder(tmp_path, a="credentials:\n" + "".join(simple(f"c{n}") for n in range(3))))
    assert kept(bot) == ["c0", "c1", "c2"]
    assert "3 credentials need a person" in bot.threads[0][0]
    bot.tell(LATER + HOUR, *(outcome("rotated", name=f"c{n}") for n in range(3)))
    assert bot.threads[0][0] == "3 credentials: resolved after 3 days"


@pytest.mark.parametrize(
    "text",
    [
        "credentials:\n" + simple("warehouse-etl"),
        "credentials:\n" + simple("warehouse-etl", ", polcy: x") + simple("b"),  # its entry has a mistake
        "credentials: [\n",  # and who knows which entries
    ],
)
def test_an_entry_that_is_there_or_may_be_there_keeps_its_incident(
    bot: Channel, outcome: Make, tmp_path: Path, text: str
) -> None:
    """An inventory that could not be read says nothing of who is gone."""
    bot.tell(TWO, outcome("failed"))
    watch(bot, folder(tmp_path, a=text, z="credentials:\n" + simple("another")))
    assert kept(bot) == ["warehouse-etl"]
    assert len(bot.threads[0]) == 1


def test_a_plan_that_could_not_be_made_is_no_entry(bot: Channel, tmp_path: Path) -> None:
    """The next plan of its DAG ends it."""
    bot.tell(TWO, trouble="no connection to Bitwarden", has_plan=False)
    watch(bot, folder(tmp_path, a="credentials:\n" + simple("another")))
    assert len(kept(bot)) == 1
