"""Which version is in use, as far as names tell: a version that is begun only is never said to be."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from credential_rotation.alerts.weekly import week_of, weekly_message
from credential_rotation.journal.records import ENDING, INTENT, RecordName
from credential_rotation.model import Policy
from credential_rotation.planning.planning import Known, in_use, may_be_current, status
from credential_rotation.planning.status_rows import status_row
from credential_rotation.planning.watchdog import findings
from credential_rotation.policy import Request
from simulators.scene import ETL, GRACE, KEYS, PAIR, SOAK, START, Scene, rotated_scene
from simulators.world import Crash, Fault

DAY = timedelta(days=1)


def names(scene: Scene) -> Known:
    """What one list would tell of what the simulated vault holds."""
    vault = scene.vault
    kinds: list[tuple[str, Any]] = [("", vault.records), (INTENT, vault.intents), (ENDING, vault.endings)]
    found = [
        RecordName(one.id, ETL.name, one.epoch, one.written, one.attempt, kind)
        for kind, stored in kinds
        for one in stored.values()
    ]
    ordered = sorted(found, key=lambda one: one.order, reverse=True)
    return Known(tuple(ordered), has_current=vault.current is not None)


def truth(scene: Scene) -> int | None:
    own = scene.vault.look().own
    return own.epoch if own else None


STRATEGIES: dict[str, dict[str, bool]] = {"one role": {}, "a pair": {"pair": True}, "keys": {"keys": True}}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_wherever_a_rotation_ends_no_version_is_in_use_that_is_not_current(strategy: str) -> None:
    """Killed before and after each of its calls, and at each pass until it is at rest again."""
    told = set()
    for kind in ("crash before", "crash after"):
        for number in range(1, 60):
            scene = rotated_scene(**STRATEGIES[strategy])
            scene.world.fault = Fault(number, kind)
            with suppress(Crash):
                scene.rotate_now()
            scene.world.fault = None
            for wait in (timedelta(0), timedelta(minutes=20), GRACE + SOAK, GRACE + SOAK, DAY):
                own = in_use(scene.credential, names(scene))
                assert own is None or own.epoch == truth(scene), (kind, number, wait)
                told.add(None if own is None else own.epoch)
                scene.world.pass_time(wait)
                scene.run()
            assert in_use(scene.credential, names(scene)), "at rest it is known"
    assert told == {None, 1, 2}


def record(epoch: int, age: int, kind: str = "") -> RecordName:
    return RecordName(f"{epoch}{kind}", ETL.name, epoch, START - age * DAY, f"a{epoch}", kind)


CASES = {
    "at rest": (ETL, [record(3, 9)], [3]),
    "one role, and something is open": (ETL, [record(4, 1), record(3, 90)], [4, 3]),
    "a pair in grace, or begun": (PAIR, [record(4, 1), record(3, 90)], [4, 3]),
    "a key in grace: its intent is gone": (KEYS, [record(4, 1), record(3, 90)], [4]),
    "a key that is recorded and not promoted": (
        KEYS,
        [record(4, 1), record(4, 1, INTENT), record(3, 90)],
        [4, 3],
    ),
    "a key that is asked for": (KEYS, [record(4, 0, INTENT), record(3, 90)], [3]),
    "a key in soak": (KEYS, [record(4, 9), record(3, 90), record(3, 1, ENDING)], [4]),
    "keys, and a rollback to the one in soak": (
        KEYS,
        [record(5, 0), record(4, 9), record(3, 90), record(3, 1, ENDING)],
        [5, 4],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_names_alone_tell(case: str) -> None:
    """Records, intents and endings, newest first."""
    credential, found, versions = CASES[case]
    assert [
        one.epoch for one in may_be_current(credential, Known(tuple(found), has_current=True))
    ] == versions
    assert may_be_current(credential, Known(tuple(found), has_current=False)) == ()


BEGUN = Known((record(4, 5), record(3, 95)), has_current=True)
"""Version 4 was recorded five days ago, and nobody knows whether it was ever applied."""
QUARTERLY = replace(ETL, policy=Policy("quarterly", max_age=90 * DAY))
WORDS = "version 4 was begun 2026-11-20 12:00 UTC, and CURRENT holds it or version 3"


def test_status_and_page_do_not_call_a_begun_version_the_one_in_use() -> None:
    """Neither its number nor its age, nor when it would be due; both versions are named."""
    told = status(QUARTERLY, BEGUN, begin=Request(START, "schedule"), now=START)
    assert (told.version, told.outcome) == (None, "planned")
    assert told.reason.startswith(f"{WORDS}; ")
    row = status_row(QUARTERLY, BEGUN)
    assert [row[one] for one in ("version", "may_be", "written", "due")] == [None, [4, 3], None, None]
    assert row["open_until"] == (START - 4 * DAY).isoformat()


def test_the_digest_names_both_versions_and_how_late_it_may_be() -> None:
    """It was "stuck since"; that the old one may be in use past its time was not said."""
    [found] = findings([QUARTERLY], {ETL.name: BEGUN}, START)
    assert found.what == f"stuck: {WORDS}; version 3 was due on 2026-11-20; the runs that try it say why"


def test_an_intent_is_stuck_since_it_was_written_and_not_since_the_version_before() -> None:
    """A key was asked for a moment ago."""
    credential = replace(KEYS, policy=Policy("quarterly", max_age=90 * DAY))
    just = Known((record(4, 0, INTENT), record(3, 80)), has_current=True)
    assert findings([credential], {ETL.name: just}, START) == ()
    assert status_row(credential, just)["version"] == 3


def test_the_weekly_summary_does_not_say_that_what_is_begun_is_rotated() -> None:
    """It has a group of its own, where there is any."""
    week = week_of([QUARTERLY], {ETL.name: replace(BEGUN, names=(record(4, 1), record(3, 95)))}, [], START)
    assert (week.rotated, week.coming, week.begun) == ((), (), (ETL.name,))
    blocks = str(weekly_message(week, deployment=None, run="r").blocks)
    assert "Begun: in grace, or not finished: 1" in blocks
