"""A dry run says until when a new version has to wait, wherever an earlier rotation was cut off."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credential_rotation.attempt.inspection import foresee
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from simulators.scene import MOST_CALLS, SETTLE, Scene, rotated_scene

SCENES = {"one role": {}, "a pair": {"pair": True}, "keys": {"keys": True}}


def foretold_and_done(scene: Scene) -> tuple[Outcome, Outcome]:
    request = Request(scene.world.now, "kim", now=True)
    told = foresee(scene.credential, scene.parties, begin=request, clock=scene.world.clock, settle=SETTLE)
    return told, scene.run(request)


@pytest.mark.parametrize("kind", ["a pair", "keys"])
def test_a_value_in_grace_is_waited_for(kind: str) -> None:
    """Asked for twice in a row: the second one is not made yet, and the moment is named."""
    scene = rotated_scene(**SCENES[kind])
    scene.rotate_now()
    scene.world.pass_time(timedelta(minutes=1))
    told, done = foretold_and_done(scene)
    assert done.outcome == "waiting"
    assert done.until is not None
    until = f"{done.until:%Y-%m-%d %H:%M} UTC"
    assert told.reason == (
        f"a new version would be made, not before {until} (the value before it lives on until then): "
        "asked for by kim"
    )


@pytest.mark.parametrize("kind", SCENES)
def test_what_is_told_to_wait_waits(kind: str) -> None:
    """And what is told to be made is made."""
    waited = made = 0
    for at in range(1, MOST_CALLS):
        scene = rotated_scene(**SCENES[kind])
        scene.world.calls.clear()
        if not scene.is_killed_after(at, scene.rotate_now):
            break
        scene.world.pass_time(timedelta(seconds=1))
        told, done = foretold_and_done(scene)
        if not told.reason.startswith("a new version would be made"):
            continue
        waits = "not before" in told.reason
        assert ("waiting" if waits else "rotated") == done.outcome, f"call {at}: {told.reason}; {done.reason}"
        assert not waits or f"{done.until:%Y-%m-%d %H:%M}" in told.reason, at
        waited, made = waited + waits, made + (not waits)
    assert made
    assert waited or kind == "one role"


def test_compromise_mode_waits_for_nothing() -> None:
    """Neither is grace told there."""
    scene = rotated_scene(pair=True)
    scene.rotate_now()
    scene.world.pass_time(timedelta(minutes=1))
    request = Request(scene.world.now, "kim", now=True, force=True, revoke=True, reason="seen in a chat")
    told = foresee(scene.credential, scene.parties, begin=request, clock=scene.world.clock, settle=SETTLE)
    assert "not before" not in told.reason
