"""Threads of incidents, as people see them in the channel: opened, gone on with, resolved."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from credential_rotation.outcome import OutcomeDict
from scenes.slack.channel import DAG, HOUR, TWO, Channel
from simulators.scene import rotated_scene

pytest_plugins = ["scenes.slack.fixtures"]

Make = Callable[..., OutcomeDict]


def test_f6_a_target_that_is_down_for_three_ticks_is_one_thread_with_nothing_repeated(bot: Channel) -> None:
    """One message, which says that the next run tries again, by when to act, and that it is resolved."""
    scene = rotated_scene()
    scene.world.now = next(iter(scene.vault.records.values())).written + timedelta(days=88)
    for is_down in (True, True, True, False):
        scene.world.now += HOUR
        scene.target.down = is_down
        found = scene.rotate_now()
        act_by = {found.name: found.act_by.isoformat()} if found.act_by else {}
        bot.tell(scene.world.now, found.as_dict(), act_by=act_by)
        if is_down:
            assert "every run tries again" in bot.first
            assert "UTC, the end of its policy" in bot.first
    name = found.name
    assert bot.threads == [[f"{name}: resolved after 3 hours", f"{name}: resolved after 3 hours"]]
    assert bot.calls == ["chat.postMessage", "chat.update", "chat.update", "chat.postMessage", "chat.update"]
    assert "3 times" in bot.first


def test_the_same_again_is_said_by_the_first_message_alone(bot: Channel, outcome: Make) -> None:
    """Since when, how often, and when last; nobody is woken by it."""
    for hour in range(3):
        bot.tell(TWO + hour * HOUR, outcome("failed", old_value="works", reason=f"try {hour}"))
    assert bot.threads == [["warehouse-etl: rotation failed — the old password still works"]]
    assert "Still the same since 2026-11-26 02:00 UTC: met 3 times, last 2026-11-26 04:00 UTC" in bot.first


@pytest.mark.parametrize("old_value", ["unknown", "works", "refused"])
@pytest.mark.parametrize("way", ["bot", "hook"])
def test_an_outage_that_rotation_and_retirement_meet_in_turns_is_told_once(
    request: pytest.FixtureRequest, outcome: Make, way: str, old_value: str
) -> None:
    """At the full hour and at half past: who met it is nothing else to do."""
    channel: Channel = request.getfixturevalue(way)
    for hour in range(3):
        down = outcome("failed", old_value=old_value, reason="no answer")
        channel.tell(TWO + hour * HOUR, down)
        channel.tell(TWO + hour * HOUR + HOUR / 2, down, work="retirement", dag="retire_credentials")
    assert [len(thread) for thread in channel.threads] == [1]


def test_what_a_person_has_to_do_changed_is_a_reply_and_loud_if_worse(bot: Channel, outcome: Make) -> None:
    """Locked out now: the whole channel sees that reply."""
    bot.tell(TWO, outcome("failed", old_value="works"))
    bot.tell(TWO + HOUR, outcome("failed", old_value="refused"))
    bot.tell(TWO + 2 * HOUR, outcome("unproved", old_value="refused", new_value="works"))
    [thread] = bot.threads
    assert len(thread) == 3
    replies = bot.slack.threads()[-1][1:]
    assert [one.get("reply_broadcast", False) for one in replies] == [True, False]


def test_f6_the_last_day_before_the_policys_end_is_told_again(bot: Channel, outcome: Make) -> None:
    """It may still heal by itself, but a person has to act now."""
    act_by = {"warehouse-etl": (TWO + 25 * HOUR).isoformat()}
    for hour in range(3):
        bot.tell(TWO + hour * HOUR, outcome("failed", old_value="works"), act_by=act_by)
    [thread] = bot.threads
    assert len(thread) == 2


ENDS = {
    "the rotation that did it": ("rotated", "rotation", True),
    "the repair that finished it": ("recovered", "retirement", True),
    "a check that finds what was known: CURRENT works": ("ok", "check", False),
    "a rotation with nothing left to do": ("unchanged", "rotation", True),
    "a dry run": ("planned", "rotation", False),
    "a wait": ("waiting", "rotation", False),
}


@pytest.mark.parametrize("case", ENDS)
def test_what_ends_a_rotation_that_failed_while_current_works(bot: Channel, outcome: Make, case: str) -> None:
    """Work that was done, by whichever DAG; a password that still works is no news."""
    word, work, is_over = ENDS[case]
    bot.tell(TWO, outcome("failed", old_value="works"))
    bot.tell(TWO + HOUR, outcome(word), work=work, dag="another_dag")
    assert (bot.threads[0][-1] == "warehouse-etl: resolved after 60 minutes") is is_over


def test_a_check_that_finds_current_working_ends_an_outage(bot: Channel, outcome: Make) -> None:
    """Where nobody knew whether CURRENT works, a proof of it is what was wanted."""
    bot.tell(TWO, outcome("failed", old_value="unknown"))
    bot.tell(TWO + HOUR, outcome("ok"), work="check", dag="verify_credentials")
    assert bot.threads[0][-1] == "warehouse-etl: resolved after 60 minutes"


def test_a_storm_of_two_hundred_is_one_thread_that_counts_down(bot: Channel, outcome: Make) -> None:
    """The worst three are told below it; the next hour changes it, and the last recovery resolves it."""
    names = [f"credential-{number:03}" for number in range(200)]
    storm = [outcome("failed", name=name, old_value="works") for name in names]
    bot.tell(TWO, *storm)
    assert [len(thread) for thread in bot.threads] == [4]
    assert bot.threads[0][0] == "Rotation: 200 credentials need a person"
    bot.tell(TWO + HOUR, *storm)
    assert bot.calls[4:] == ["chat.update"]
    healed = [outcome("rotated", name=name) for name in names]
    bot.tell(TWO + 2 * HOUR, *healed[:150])
    assert bot.threads[0][0] == "Rotation: 50 credentials need a person"
    bot.tell(TWO + 3 * HOUR, *healed[150:])
    assert bot.threads[0][0] == "50 credentials: resolved after 3 hours"
    assert [len(thread) for thread in bot.threads] == [5]


def test_a_plan_that_cannot_be_made_is_one_thread_until_one_is(bot: Channel) -> None:
    """Of its own DAG: what another one plans proves nothing."""
    for hour in range(2):
        bot.tell(TWO + hour * HOUR, trouble="no connection to Bitwarden", has_plan=False)
    bot.tell(TWO + 2 * HOUR, dag="retire_credentials")
    assert bot.threads == [["Rotation: the run failed"]]
    bot.tell(TWO + 3 * HOUR)
    assert bot.threads == [[f"{DAG}: resolved after 3 hours"] * 2]


def test_a_credential_without_outcome_is_over_when_it_has_a_good_one(bot: Channel, outcome: Make) -> None:
    """Whoever brings it, and not before; a failure of it goes into the same thread."""
    bot.tell(TWO, missing=("warehouse-etl",), planned=1)
    bot.tell(TWO + HOUR)
    assert len(bot.threads[0]) == 1
    bot.tell(TWO + HOUR, outcome("failed"), dag="retire_credentials")
    bot.tell(TWO + 2 * HOUR, outcome("recovered"), dag="retire_credentials")
    [thread] = bot.threads
    assert thread[1:] == [
        "warehouse-etl: rotation failed — whether the password still works is not known",
        "warehouse-etl: resolved after 2 hours",
    ]


def test_a_webhooks_messages_carry_the_incidents_id_and_tell_its_end(hook: Channel, outcome: Make) -> None:
    """It can neither thread nor change: the same id on each, and nothing said twice."""
    hook.tell(TWO, outcome("failed", old_value="works"))
    hook.tell(TWO + HOUR, outcome("failed", old_value="works"))
    hook.tell(TWO + 2 * HOUR, outcome("rotated"))
    assert hook.threads == [
        ["warehouse-etl: rotation failed — the old password still works"],
        ["warehouse-etl: resolved after 2 hours"],
    ]
    ids = {str(one["blocks"]).rpartition("incident ")[2][:8] for one in hook.slack.messages()[-2:]}
    assert len(ids) == 1


def test_slacks_outage_is_told_by_the_next_message_that_gets_through(bot: Channel, outcome: Make) -> None:
    """How often and since when; what it never heard of is told then, and there is no alert about an alert."""
    bot.slack.outage(on=True)
    for hour in range(3):
        bot.tell(TWO + hour * HOUR, outcome("failed", old_value="works"))
    bot.slack.outage(on=False)
    assert bot.threads == []
    bot.tell(TWO + 3 * HOUR, outcome("failed", old_value="works"))
    assert len(bot.threads) == 1
    assert "Slack could not be told 3 times since 2026-11-26 02:00 UTC" in bot.first
    bot.tell(TWO + 4 * HOUR, outcome("failed", name="another"))
    assert "could not be told" not in str(bot.slack.messages()[-1])


def test_a_change_that_slack_did_not_hear_of_is_told_by_the_next_run(bot: Channel, outcome: Make) -> None:
    """Locked out during an outage of Slack: the same again is then no old story."""
    bot.tell(TWO, outcome("failed", old_value="works"))
    bot.slack.outage(on=True)
    bot.tell(TWO + HOUR, outcome("failed", old_value="refused"))
    bot.slack.outage(on=False)
    bot.tell(TWO + 2 * HOUR, outcome("failed", old_value="refused"))
    [thread] = bot.threads
    assert thread[1:] == ["warehouse-etl: rotation failed — the stored password is refused"]


def test_a_thread_that_somebody_deleted_is_opened_again(bot: Channel, outcome: Make) -> None:
    """What changes must reach somebody."""
    bot.tell(TWO, outcome("failed", old_value="works"))
    bot.slack.delete(bot.slack.threads()[-1][0]["ts"])
    bot.tell(TWO + HOUR, outcome("failed", old_value="refused"))
    bot.tell(TWO + 2 * HOUR, outcome("rotated"))
    assert [len(thread) for thread in bot.threads] == [1, 2]


def test_a_workspace_without_edits_still_hears_the_end(bot: Channel, outcome: Make) -> None:
    """It stands in the thread."""
    bot.slack.close_edits(on=True)
    bot.tell(TWO, outcome("failed", old_value="works"))
    bot.tell(TWO + HOUR, outcome("rotated"))
    assert bot.threads[0][1] == "warehouse-etl: resolved after 60 minutes"


def test_without_its_folder_each_failure_is_a_thread_and_nothing_is_raised(
    bot: Channel, outcome: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Losing it costs the thread; a folder that cannot be used is said in the log."""
    (tmp_path / "file").write_text("")
    bot.environ["ROTATION_STATE_PATH"] = str(tmp_path / "file" / "state")
    with caplog.at_level(logging.WARNING):
        for hour in range(2):
            bot.tell(TWO + hour * HOUR, outcome("failed", old_value="works"))
    assert len(bot.threads) == 2
    assert any("incidents are not kept" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("left", ['{"members": 3}', "[]", '{"id": "x"}', "\x00"])
def test_a_document_that_cannot_be_read_is_a_new_incident(
    bot: Channel, outcome: Make, tmp_path: Path, left: str
) -> None:
    """Whoever wrote that."""
    (tmp_path / "state" / "incidents").mkdir(parents=True)
    (tmp_path / "state" / "incidents" / "warehouse-etl.json").write_text(left)
    bot.tell(TWO, outcome("failed", old_value="works"))
    assert len(bot.threads) == 1


def test_nothing_that_is_kept_holds_more_than_the_message(
    bot: Channel, outcome: Make, tmp_path: Path
) -> None:
    """One document for each open incident, gone with its end."""
    bot.tell(TWO, outcome("failed", old_value="works"))
    folder = tmp_path / "state" / "incidents"
    assert [one.name for one in folder.iterdir()] == ["warehouse-etl.json"]
    bot.tell(TWO + HOUR, replace_word(outcome("failed"), "rotated"))
    assert list(folder.iterdir()) == []


def replace_word(one: OutcomeDict, word: str) -> OutcomeDict:
    return {**one, "outcome": word}


def test_all_whose_trouble_is_another_one_now_are_named_in_the_reply(bot: Channel, outcome: Make) -> None:
    """Nobody else hears of the second one: the first message wakes no one."""
    names = [f"c{number}" for number in range(6)]
    bot.tell(TWO, *(outcome("failed", name=name, old_value="works") for name in names))
    worse = {"c1", "c4"}
    again = (
        outcome("failed", name=name, old_value="refused" if name in worse else "works") for name in names
    )
    bot.tell(TWO + HOUR, *again)
    reply = str(bot.slack.threads()[-1][-1]["blocks"])
    assert {name for name in names if name in reply} == worse
