"""A run whose tasks each tell their own end: as few messages as where one report tells of all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from credential_rotation.alerts.people import teller_of
from credential_rotation.alerts.run import Run
from credential_rotation.alerts.sharing import MOST_ALONE
from credential_rotation.outcome import OutcomeDict
from sandbox.slack import SlackStandIn
from scenes.slack.channel import HOUR, TWO, Channel

pytest_plugins = ["scenes.slack.fixtures"]

Make = Callable[..., OutcomeDict]
DAG = "rotate_with_approval"
NAMES = [f"c{number:02}" for number in range(30)]
PART: dict[str, Any] = {"run": "manual__1", "dag": DAG, "is_part": True}


def summed_up(channel: Channel, run: str = "manual__1") -> None:
    teller_of(channel.environ, now=TWO).sum_up(Run(work="rotation", run=run, outcomes=(), dag=DAG))


def test_thirty_failures_that_come_one_by_one_are_four_threads(bot: Channel, outcome: Make) -> None:
    """The first few alone, at once; the others share one, whose first message names them all."""
    for name in NAMES:
        bot.tell(TWO, outcome("failed", name=name, old_value="works"), **PART)
    assert [len(thread) for thread in bot.threads] == [1] * (MOST_ALONE + 1)
    assert [thread[0].partition(":")[0] for thread in bot.threads[:MOST_ALONE]] == NAMES[:MOST_ALONE]
    shared = str(bot.slack.threads()[-1][0]["blocks"])
    assert "27 credentials need a person" in shared
    assert all(name in shared for name in NAMES[MOST_ALONE:])
    assert len(teller_of(bot.environ).book.all()) == MOST_ALONE + 1


def test_when_the_run_is_over_they_are_counted_once_more(bot: Channel, outcome: Make) -> None:
    """A reply, for who looked at the first of them only; where few failed nothing is said again."""
    for name in NAMES[:MOST_ALONE]:
        bot.tell(TWO, outcome("failed", name=name), **PART)
    summed_up(bot)
    assert len(bot.threads) == MOST_ALONE
    for name in NAMES[MOST_ALONE:]:
        bot.tell(TWO, outcome("failed", name=name), **PART)
    summed_up(bot)
    assert [len(thread) for thread in bot.threads] == [1] * MOST_ALONE + [2]
    assert bot.threads[-1][1] == "Rotation: 27 credentials need a person"


def test_what_is_worse_than_all_who_share_a_thread_is_told_at_once(bot: Channel, outcome: Make) -> None:
    """Nobody can log in, and the run may wait for people until tomorrow; what is no worse wakes nobody."""
    for name in NAMES[: MOST_ALONE + 2]:
        bot.tell(TWO, outcome("failed", name=name, old_value="works"), **PART)
    assert len(bot.threads[-1]) == 1
    for name in NAMES[10:13]:
        bot.tell(TWO, outcome("failed", name=name, old_value="refused"), **PART)
    [_, reply] = bot.slack.threads()[-1]
    assert reply["text"].startswith("c10: rotation failed")
    assert reply["reply_broadcast"] is True
    assert len(bot.threads) == MOST_ALONE + 1


def test_on_a_webhook_all_that_share_a_thread_are_named_at_the_end(hook: Channel, outcome: Make) -> None:
    """It cannot change what it said."""
    before = len(hook.slack.messages())
    for name in NAMES:
        hook.tell(TWO, outcome("failed", name=name), **PART)
    summed_up(hook)
    told = hook.slack.messages()[before:]
    assert len(told) == MOST_ALONE + 2
    assert all(name in str(told[-1]["blocks"]) for name in NAMES[MOST_ALONE:])


def test_tasks_that_fail_at_the_same_moment_are_bounded_too(bot: Channel, outcome: Make) -> None:
    """Each is a process of its own; who comes between is in the count."""
    Path(bot.environ["ROTATION_STATE_PATH"]).mkdir()  # as the plan has done
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda name: bot.tell(TWO, outcome("failed", name=name), **PART), NAMES))
    assert len(bot.threads) == MOST_ALONE + 1
    known = {name for incident in teller_of(bot.environ).book.all() for name in incident.names}
    assert known == set(NAMES)
    summed_up(bot)
    [shared] = [thread for thread in bot.slack.threads()[-4:] if len(thread) > 1]
    assert "27 credentials need a person" in str(shared[0]["blocks"])


def test_another_run_is_counted_for_itself(bot: Channel, outcome: Make) -> None:
    """What failed an hour ago keeps nobody from being told."""
    for name in NAMES[:6]:
        bot.tell(TWO, outcome("failed", name=name), **PART)
    for name in NAMES[6:12]:
        bot.tell(TWO + HOUR, outcome("failed", name=name), **PART | {"run": "manual__2"})
    assert len(bot.threads) == 2 * (MOST_ALONE + 1)


def test_one_by_one_they_end_as_of_any_storm(bot: Channel, outcome: Make) -> None:
    """By whichever run does the work; the thread is resolved with the last."""
    for name in NAMES[:6]:
        bot.tell(TWO, outcome("failed", name=name), **PART)
    for name in NAMES[:6]:
        bot.tell(TWO + HOUR, outcome("rotated", name=name), **PART | {"run": "manual__2"})
    assert teller_of(bot.environ).book.all() == []
    assert [thread[-1].partition(": ")[2].partition(" after")[0] for thread in bot.threads] == [
        "resolved"
    ] * 4


def test_what_slack_did_not_take_of_the_shared_one_is_told_at_the_end(
    bot: Channel, outcome: Make, slack: SlackStandIn
) -> None:
    """With all who are in it by then; nobody else asks Slack again for it."""
    for name in NAMES[:MOST_ALONE]:
        bot.tell(TWO, outcome("failed", name=name), **PART)
    slack.rate_limit(1, retry_after=10_000)
    for name in NAMES[MOST_ALONE:]:
        bot.tell(TWO, outcome("failed", name=name), **PART)
    assert len(bot.threads) == MOST_ALONE
    summed_up(bot)
    assert bot.threads[-1] == ["Rotation: 27 credentials need a person"]


@pytest.mark.parametrize("more", [False, True])
def test_notifiers_hear_as_little(bot: Channel, outcome: Make, *, more: bool) -> None:
    """Those who are called beside Slack: one for each thread, and one for the sum."""
    heard: list[str] = []
    teller = teller_of(bot.environ, now=TWO)
    teller.channels.notify = lambda kind, _, about: heard.append(f"{kind} {len(about['credentials'])}")  # type: ignore[arg-type]  # any object, by its promise
    for name in NAMES if more else NAMES[:2]:
        teller.tell(Run(work="rotation", outcomes=(outcome("failed", name=name),), **PART))
    teller.sum_up(Run(work="rotation", run="manual__1", outcomes=(), dag=DAG))
    assert heard == (["opened 1"] * 4 + ["changed 27"] if more else ["opened 1"] * 2)
