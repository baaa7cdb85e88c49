"""What the names in the vault tell, without a value: what is due, open, and how old."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credential_rotation.journal.records import RecordName
from credential_rotation.model import Policy, Window
from credential_rotation.planning.planning import Known, in_use, plan, records_by_name, status
from credential_rotation.policy import Request
from simulators.scene import ETL, START

TICK = Request(at=START, by="schedule")
DAY = timedelta(days=1)


def record(epoch: int, age: timedelta = DAY, name: str = "warehouse-etl") -> RecordName:
    return RecordName(f"id-{epoch}", name, epoch, START - age, "a1")


def known(*records: RecordName, has_current: bool = True) -> Known:
    return Known(records, has_current=has_current)


OPEN = "an earlier run was interrupted, or a replaced version is not retired yet"
CASES = {
    "nothing is there: due for the first time": (known(has_current=False), TICK, "planned", "never rotated"),
    "a person's CURRENT without a record: due": (known(), TICK, "planned", "never rotated"),
    "adopted and never rotated: due": (known(record(0)), TICK, "planned", "never rotated"),
    "young: nothing to do": (known(record(3)), TICK, "unchanged", "due 2027-02-22 12:00 UTC"),
    "old: due": (known(record(3, 91 * DAY)), TICK, "planned", "older than 90d"),
    "two records: something is open, young or not": (known(record(4), record(3)), TICK, "planned", OPEN),
    "a record and no CURRENT: something is open": (
        known(record(1), has_current=False),
        TICK,
        "planned",
        OPEN,
    ),
    "two records and nothing may begin: open all the same": (
        known(record(4), record(3)),
        None,
        "planned",
        OPEN,
    ),
    "old, and nothing may begin: nothing is open": (
        known(record(3, 91 * DAY)),
        None,
        "unchanged",
        "nothing is open",
    ),
    "nothing is there, and nothing may begin": (
        known(has_current=False),
        None,
        "unchanged",
        "nothing is open",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_plan(case: str) -> None:
    """`planned` where an attempt has something to do, with its reason and the version in use, where known."""
    found, begin, word, reason = CASES[case]
    outcome = plan(ETL, found, begin=begin, now=START)
    assert (outcome.outcome, outcome.reason) == (word, reason)
    own = in_use(ETL, found)
    assert outcome.version == (own.epoch if own else None)
    assert outcome.is_done


def test_a_pause_stops_what_begins_and_never_what_finishes() -> None:
    """An interrupted rotation is finished whatever the policy says."""
    paused = replace(ETL, policy=Policy("paused", max_age=DAY, pause=True))
    assert plan(paused, known(record(3, 9 * DAY)), begin=TICK, now=START).reason == "paused by its policy"
    assert plan(paused, known(record(4), record(3)), begin=TICK, now=START).outcome == "planned"


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=-5), "less than 1m"),
        (timedelta(seconds=59), "less than 1m"),
        (timedelta(minutes=1), "1m"),
        (timedelta(minutes=119), "119m"),
        (timedelta(hours=2), "2h"),
        (timedelta(hours=47, minutes=59), "47h"),
        (timedelta(hours=48), "2d"),
        (timedelta(days=89, hours=23), "89d"),
    ],
)
def test_status_tells_the_age_in_a_unit_that_says_something(age: timedelta, said: str) -> None:
    """Cut off, not rounded: nothing is called older than it is."""
    outcome = status(ETL, known(record(3, age)), begin=TICK, now=START)
    assert outcome.outcome == "ok"
    assert outcome.reason.startswith(f"{said} old; due ")


def test_status_of_what_is_due_or_was_never_rotated() -> None:
    """What the next run has something to do for is planned; what it has not is ok."""
    manual = replace(ETL, policy=Policy("manual", max_age=None))
    due = status(ETL, known(record(3, 91 * DAY)), begin=TICK, now=START)
    assert (due.outcome, due.reason, due.version) == ("planned", "91d old; older than 90d", 3)
    never = status(manual, known(), begin=TICK, now=START)
    assert (never.outcome, never.version) == ("ok", None)
    assert never.reason == "no version yet; rotated only when asked (policy manual)"


def test_records_are_sorted_by_name_and_newest_first() -> None:
    """By epoch, then by time: the order in which an attempt sees them."""
    mine, other = [record(2), record(10), record(9, 2 * DAY)], record(1, name="other")
    again = replace(mine[0], id="again", written=START)
    found = records_by_name([*mine, other, again])
    assert [one.id for one in found["warehouse-etl"]] == ["id-10", "id-9", "again", "id-2"]
    assert found["other"] == (other,)


NIGHT = Policy("nightly", max_age=DAY, window=Window(timedelta(hours=22), timedelta(hours=5)))
ASKED = Request(at=START, by="kim", now=True)
WISHES = {
    "asked for within the rules": (ETL.policy, ASKED, "planned", "asked for by kim"),
    "asked for outside the window": (
        NIGHT,
        ASKED,
        "refused",
        "outside its window, which opens 2026-11-25 22:00 UTC",
    ),
    "asked for while paused": (replace(NIGHT, pause=True), ASKED, "refused", "paused by its policy"),
    "asked for later": (
        ETL.policy,
        replace(ASKED, not_before=START + DAY),
        "waiting",
        "asked for not before 2026-11-26 12:00 UTC",
    ),
    "a tick outside the window, though it is due": (
        NIGHT,
        TICK,
        "unchanged",
        "older than 1d; missed its window, which opens 2026-11-25 22:00 UTC",
    ),
}


@pytest.mark.parametrize("case", WISHES)
def test_a_wish_that_is_held_back_is_not_told_as_nothing_to_do(case: str) -> None:
    """To a person it is refused or waits, with the way out; a tick just comes again."""
    policy, begin, word, reason = WISHES[case]
    outcome = plan(replace(ETL, policy=policy), known(record(3, 3 * DAY)), begin=begin, now=START)
    assert (outcome.outcome, outcome.reason) == (word, reason)
    assert bool(outcome.next_step) == (word == "refused")
    assert outcome.until == (START + DAY if word == "waiting" else None)
