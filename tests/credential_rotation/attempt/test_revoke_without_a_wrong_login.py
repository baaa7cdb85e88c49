"""With `max_wrong_logins: 0` a revocation that was cut off is seen through too, whatever is in CURRENT."""

from __future__ import annotations

from dataclasses import replace

import pytest

from credential_rotation.attempt.inspection import foresee
from credential_rotation.model import Secret
from credential_rotation.policy import Request
from simulators.scene import MOST_CALLS, SETTLE, Scene, rotated_scene
from simulators.without_current import lose_current

SCENES = {"one role": {}, "a pair": {"pair": True}}


def cut_off(kind: str, at: int, spoiled: Secret | None) -> Scene | None:
    """It was killed right after this call, and CURRENT is gone, or this; None where nothing is on record."""
    scene = rotated_scene(**SCENES[kind])
    scene.credential = replace(scene.credential, prove_dead="catalog", max_wrong_logins=0)
    scene.target.wrong_logins.clear()
    return scene if lose_current(scene, at, spoiled) else None


@pytest.mark.parametrize("again", [False, True], ids=["an hourly run", "asked for again"])
@pytest.mark.parametrize("kind", SCENES)
def test_a_current_that_is_gone_is_no_dead_end(kind: str, *, again: bool) -> None:
    """The stamp tells whether the new version was set: nobody has to find that out by hand."""
    seen = 0
    for at in range(1, MOST_CALLS):
        scene = cut_off(kind, at, None)
        if scene is None:
            continue
        seen += 1
        before = min(scene.vault.records.values(), key=lambda one: one.order).secret
        told = scene.revoke() if again else scene.run()
        assert told.outcome == "revoked", f"call {at}: {told.outcome}, {told.reason}"
        assert (scene.readers_can_log_in, scene.accepts(before)) == (True, False), at
        assert scene.target.wrong_logins == [], at
    assert seen


@pytest.mark.parametrize("again", [False, True], ids=["an hourly run", "asked for again"])
@pytest.mark.parametrize("kind", SCENES)
def test_what_a_person_mistyped_is_replaced_by_what_the_stamp_names(kind: str, *, again: bool) -> None:
    """Of one role without trying it: the new value logs in, and there is only one."""
    seen, mistyped = 0, Secret("etl", "mistyped")
    for at in range(1, MOST_CALLS):
        scene = cut_off(kind, at, mistyped)
        new = None if scene is None else max(scene.vault.records.values(), key=lambda one: one.order)
        if scene is None or new is None or not scene.accepts(new.secret):
            continue
        seen += 1
        request = Request(scene.world.now, "kim")
        told = foresee(scene.credential, scene.parties, begin=request, clock=scene.world.clock, settle=SETTLE)
        assert told.outcome == "planned", f"call {at}: {told.outcome}, {told.reason}"
        told = scene.revoke() if again else scene.run()
        assert told.outcome == "revoked", f"call {at}: {told.outcome}, {told.reason}"
        assert scene.readers_can_log_in, at
        assert kind != "one role" or scene.target.wrong_logins == [], at
    assert seen
