"""What people are reminded of, and when: pure, by the last change, the policy and the time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.model import Consumer
from credential_rotation.planning.reminders import LATE, Reminder, reminders_of, stage_of, to_tell, told_now
from credential_rotation.planning.watchdog import Finding, findings
from credential_rotation.state.reminders import PLACE, Reminders
from scenes.inventory.reminders import BY_HAND, CASES, DAY, LOOKER, NOW, TAKEN_BY_HAND, known


@pytest.mark.parametrize("case", CASES)
def test_h1_h3_what_is_reminded_of(case: str) -> None:
    """Each state of a credential, how near its time is, and the words."""
    credential, state, expected = CASES[case]
    found = reminders_of([credential], {credential.name: state}, NOW)
    assert [one.stage for one in found] == [stage for stage, _ in expected]
    for one, (_, words) in zip(found, expected, strict=True):
        assert words in one.finding.what


def test_h3_the_reminder_goes_to_who_looks_after_the_consumer_with_the_command() -> None:
    """Which need not be the credential's owner."""
    state = known(1, older=True, awaited=(LOOKER,))
    [one] = reminders_of([TAKEN_BY_HAND], {TAKEN_BY_HAND.name: state}, NOW)
    assert one.finding.owner == "bi"
    assert one.finding.what.endswith("confirm warehouse-etl --consumer Looker --version 9")


def test_h3_a_command_can_be_pasted_whatever_somebody_is_called() -> None:
    """A consumer is free text."""
    state = known(1, older=True, awaited=(Consumer("manual", "O'Hara's; rm -rf ~"),))
    [one] = reminders_of([TAKEN_BY_HAND], {TAKEN_BY_HAND.name: state}, NOW)
    assert """--consumer 'O'"'"'Hara'"'"'s; rm -rf ~' --version""" in one.finding.what


def test_h1_long_instructions_do_not_fill_the_digest() -> None:
    """The page has all of them."""
    long = replace(BY_HAND, options={"instructions": "x" * 2000})
    [one] = reminders_of([long], {long.name: known(370)}, NOW)
    assert len(one.finding.what) < 400


def test_h3_what_waits_for_a_person_is_not_called_stuck_besides() -> None:
    """One thing is told once, by who says what to do about it."""
    state = known(40, older=True, awaited=(LOOKER,))
    assert findings([TAKEN_BY_HAND], {TAKEN_BY_HAND.name: state}, NOW) == ()


STAGES = [
    (31, 300, None), (30, 300, 30), (8, 300, 30), (7, 300, 7), (2, 300, 7), (1, 300, 1), (0, 300, LATE),
    (25, 5, None), (7, 23, 7), (5, 1, None),
]  # fmt: skip


@pytest.mark.parametrize(("left", "age", "stage"), STAGES)
def test_h1_a_time_before_the_last_change_is_no_time_to_remind(
    left: int, age: int, stage: int | None
) -> None:
    """What is changed monthly is not told of a month ahead, which is the day on which it was changed."""
    assert stage_of(NOW + left * DAY, NOW - age * DAY, NOW) == stage


def _reminder(stage: int, about: str = "etl due x") -> Reminder:
    return Reminder(about, stage, Finding("etl", f"stage {stage}"))


def test_h1_each_stage_is_told_once_and_what_is_late_daily() -> None:
    """A stage that was missed is replaced by the next one."""
    assert to_tell([_reminder(30)], {"etl due x": 30}) == []
    assert to_tell([_reminder(7)], {"etl due x": 30}) == [Finding("etl", "stage 7")]
    assert to_tell([_reminder(LATE)], {"etl due x": LATE}) == [Finding("etl", "stage 0")]
    assert to_tell([_reminder(30)], {"etl due before": 1}) == [Finding("etl", "stage 30")]


def test_h1_what_there_was_no_room_for_is_not_told_yet() -> None:
    """It comes again on the next day, and what was told of it before stays so."""
    first, second = _reminder(7), Reminder("bi due y", 7, Finding("bi", "stage 7"))
    assert told_now([first, second], {}, [first.finding]) == {"etl due x": 7}
    assert told_now([first, second], {"bi due y": 30}, [first.finding]) == {"etl due x": 7, "bi due y": 30}
    assert told_now([first, second], {"bi due y": 7}, [first.finding]) == {"etl due x": 7, "bi due y": 7}
    assert told_now([], {"etl due x": 7}, []) == {}


def test_h1_what_is_told_once_comes_before_what_is_told_daily() -> None:
    """Else what is late for long leaves it no room."""
    late, once = _reminder(LATE), Reminder("bi due y", 7, Finding("bi", "stage 7"))
    assert to_tell([late, once], {}) == [once.finding, late.finding]


def test_h1_what_slack_missed_is_told_again(tmp_path: Path) -> None:
    """It counts as told when it got through, and not before."""
    folder = StateFolder(str(tmp_path))
    assert Reminders(folder, [_reminder(30)]).findings
    assert Reminders(folder, [_reminder(30)]).findings
    reminders = Reminders(folder, [_reminder(30)])
    reminders.were_told([])
    assert Reminders(folder, [_reminder(30)]).findings
    reminders.were_told(reminders.findings)
    assert Reminders(folder, [_reminder(30)]).findings == []


@pytest.mark.parametrize("document", ["{", "[]", '{"told": 7}', '{"told": {"etl due x": "7"}}'])
def test_h1_a_document_that_makes_no_sense_reminds_again(tmp_path: Path, document: str) -> None:
    """Rather twice than never."""
    (tmp_path / f"{PLACE}.json").write_text(document)
    assert Reminders(StateFolder(str(tmp_path)), [_reminder(30)]).findings


def test_h1_a_folder_that_cannot_be_written_keeps_nobody_from_being_told() -> None:
    """It is one warning in the watchdog's log."""
    reminders = Reminders(StateFolder("/proc/nowhere"), [_reminder(30)])
    assert reminders.findings
    reminders.were_told(reminders.findings)
