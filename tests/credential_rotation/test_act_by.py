"""By when a person must act: the end of the policy's promise about the value that is in use."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from credential_rotation.model import Policy, Window
from credential_rotation.times.schedule import promised_until
from simulators.scene import Scene, rotated_scene

DAY = timedelta(days=1)
WRITTEN = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
AGED = Policy("aged", max_age=30 * DAY)
SUNDAYS = Window(timedelta(hours=1), timedelta(hours=5), days=frozenset({6}))


def test_f6_a_target_that_is_down_for_three_ticks_names_the_same_day_each_time() -> None:
    """A person who reads the first message knows how long it may be left alone; then it is rotated."""
    scene = rotated_scene()
    written = next(iter(scene.vault.records.values())).written
    scene.world.now = written + timedelta(days=89)
    scene.target.down = True
    for _ in range(3):
        scene.world.now += timedelta(hours=1)
        failed = scene.rotate_now()
        assert (failed.outcome, failed.act_by) == ("failed", written + timedelta(days=90))
    scene.target.down = False
    healed = scene.rotate_now()
    assert (healed.outcome, healed.act_by) == ("rotated", None)


def test_of_a_value_that_we_did_not_make_nobody_knows_how_old_it_is() -> None:
    """So no day is named."""
    scene = Scene()
    scene.target.refuses_changes = True
    failed = scene.tick()
    assert (failed.outcome, failed.act_by) == ("failed", None)


PROMISES = {
    "max age": (AGED, WRITTEN + 30 * DAY),
    "jitter comes before it": (replace(AGED, jitter=5 * DAY, share=2 * DAY), WRITTEN + 30 * DAY),
    "a window that opens too late": (
        replace(AGED, max_age=DAY, window=SUNDAYS),
        datetime(2026, 11, 8, 1, tzinfo=timezone.utc),
    ),
    "cron": (Policy("cron", cron="0 3 * * *"), datetime(2026, 11, 2, 3, tzinfo=timezone.utc)),
    "only when asked": (Policy("manual"), None),
}


@pytest.mark.parametrize("case", PROMISES)
def test_what_a_policy_promises(case: str) -> None:
    """No version gets older than its max age, or than its window allows; or it falls due by cron."""
    policy, until = PROMISES[case]
    assert promised_until(policy, WRITTEN) == until
