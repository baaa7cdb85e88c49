"""A replaced value is dead when every endpoint refuses it too: replicas lag, and poolers keep lists."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credential_rotation.model import Answer, Probe
from simulators.scene import GRACE, SETTLE, SOAK, Scene, rotated_scene
from simulators.target import REPLICA

SILENT = Probe(Answer.UNKNOWN, "pooler.example:6432", "connection refused")
MINUTE = timedelta(minutes=1)


def with_replica(*, pair: bool = False) -> Scene:
    """Rotated once, with an endpoint that follows."""
    scene = rotated_scene(pair=pair)
    scene.target.follow()
    return scene


def after_grace(scene: Scene) -> Scene:
    scene.world.pass_time(max(GRACE, SETTLE) + MINUTE)
    return scene


@pytest.mark.parametrize("pair", [False, True], ids=["one role", "a pair"])
def test_a_replica_that_follows_costs_nothing(*, pair: bool) -> None:
    """Rotated and retired as without one."""
    scene = with_replica(pair=pair)
    assert scene.rotate_now().outcome == "rotated"
    assert after_grace(scene).run().outcome == ("retired" if pair else "unchanged")
    assert scene.epochs == [2]


def test_of_a_pair_the_record_stays_while_a_replica_accepts_the_old_value() -> None:
    """Told by the endpoint's name, not green, and the next version waits; what hears of it is retired."""
    scene = with_replica(pair=True)
    scene.rotate_now()
    scene.target.lags = True
    kept = after_grace(scene).run()
    assert (kept.outcome, kept.old_value) == ("unproved", Answer.WORKS)
    assert f"{REPLICA} still accepts version 1, which was replaced" in kept.reason
    assert scene.epochs == [2, 1]
    assert scene.rotate_now().outcome == "unproved"
    assert scene.epochs == [2, 1]
    scene.target.follow()
    assert scene.run().outcome == "retired"
    assert scene.epochs == [2]


def test_an_endpoint_that_cannot_tell_keeps_the_record() -> None:
    """Not to know is no proof: it is named, and asked again by the next run."""
    scene = rotated_scene()
    scene.target.endpoint_answers = (SILENT,)
    for told in (scene.rotate_now(), scene.run()):
        assert (told.outcome, told.old_value) == ("unproved", Answer.UNKNOWN)
        assert f"whether version 1 is dead at {SILENT.where} is unknown: {SILENT.why}" in told.reason
        assert scene.epochs == [2, 1]
    scene.target.endpoint_answers = ()
    assert scene.run().outcome == "retired"
    assert scene.epochs == [2]


def test_a_replica_that_knows_neither_value_proves_nothing() -> None:
    """It is behind both, and accepts the old one when it comes to where that was new."""
    scene = with_replica()
    scene.target.lags = True
    scene.target.replica = {"etl": "from before"}
    told = scene.rotate_now()
    assert f"whether version 1 is dead at {REPLICA} is unknown" in told.reason
    assert scene.epochs == [2, 1]


def test_a_key_that_another_region_still_takes_is_not_forgotten() -> None:
    """Deleted, and its record stays until it is refused there."""
    scene = rotated_scene(keys=True)
    scene.account.endpoint_answers = (Probe(Answer.WORKS, "STS elsewhere"),)
    scene.rotate_now()
    after_grace(scene).run()
    scene.world.pass_time(SOAK + MINUTE)
    told = scene.run()
    assert "STS elsewhere still accepts version 1" in told.reason
    assert (len(scene.account.keys), scene.epochs) == (1, [2, 1])
    scene.account.endpoint_answers = ()
    assert scene.run().outcome == "retired"


def test_of_one_role_no_version_waits_for_an_endpoint() -> None:
    """Of one role the primary decides; what a replica accepts still is told in each run until it is dead."""
    scene = with_replica()
    scene.target.lags = True
    first = scene.rotate_now()
    assert (first.outcome, first.new_value, first.old_value) == ("unproved", Answer.WORKS, Answer.WORKS)
    assert f"{REPLICA} still accepts version 1" in first.reason
    scene.world.pass_time(MINUTE)
    scene.target.wrong_logins.clear()
    second = scene.rotate_now()
    assert (second.outcome, second.version, second.old_value) == ("unproved", 3, Answer.WORKS)
    assert scene.epochs == [3, 2, 1]  # who does not know CURRENT may yet come to know version 2
    assert second.reason.count("still accepts version 1") == 1
    scene.target.follow()
    assert scene.run().outcome == "retired"
    assert scene.epochs == [3]


def test_nothing_is_revoked_that_an_endpoint_still_accepts() -> None:
    """Compromise mode says so; asked again when the replica has heard of it, it is through."""
    scene = with_replica()
    scene.target.lags = True
    told = scene.revoke()
    assert (told.outcome, told.old_value) == ("unproved", Answer.WORKS)
    assert f"{REPLICA} still accepts version 1" in told.reason
    scene.target.lags = False
    scene.target.follow()
    assert scene.revoke().outcome == "revoked"
    assert len(scene.epochs) == 1
