"""CURRENT is deleted or spoiled behind a revocation that was cut off: the new version takes its place."""

from __future__ import annotations

import pytest

from credential_rotation.attempt.inspection import foresee
from credential_rotation.model import Secret
from credential_rotation.policy import Request
from simulators.scene import MOST_CALLS, SETTLE, Scene, rotated_scene
from simulators.without_current import lose_current

SCENES = {
    "one role": {},
    "itself": {"changes_itself": True},
    "a pair": {"pair": True},
    "keys": {"keys": True},
}


def asked(scene: Scene, *, revoke: bool) -> Request:
    if not revoke:
        return Request(scene.world.now, "schedule")
    return Request(scene.world.now, "kim", now=True, force=True, revoke=True, reason="seen in a chat")


def cut_off(kind: str, at: int, *, spoiled: Secret | None = None) -> Scene | None:
    """It was killed right after this call, and CURRENT is gone, or this; None where nothing is on record."""
    scene = rotated_scene(**SCENES[kind])
    return scene if lose_current(scene, at, spoiled) else None


def note_what_is_stored(scene: Scene) -> list[Secret | None]:
    stored: list[Secret | None] = []

    def note() -> None:
        if scene.world.calls[-1].endswith("write CURRENT"):
            stored.append(scene.current)

    scene.world.after_each = note
    return stored


@pytest.mark.parametrize("again", [False, True], ids=["an hourly run", "asked for again"])
@pytest.mark.parametrize("kind", SCENES)
def test_only_the_new_version_is_stored_again(kind: str, *, again: bool) -> None:
    """Though what may be in wrong hands still logs in, and the new one perhaps not yet."""
    seen = 0
    for at in range(1, MOST_CALLS):
        scene = cut_off(kind, at)
        if scene is None:
            continue
        seen += 1
        before = min(scene.vault.records.values(), key=lambda one: one.order).secret
        stored = note_what_is_stored(scene)
        told = scene.run(asked(scene, revoke=again))
        where = f"call {at}: {told.outcome}, {told.reason}"
        assert before not in stored, where
        assert not scene.accepts(before), where
        assert scene.readers_can_log_in, where
        assert told.outcome == "revoked", where
    assert seen


@pytest.mark.parametrize("kind", SCENES)
def test_a_dry_run_names_the_version_that_becomes_current(kind: str) -> None:
    """It is the one that was begun."""
    scene = next(made for at in range(1, MOST_CALLS) if (made := cut_off(kind, at)))
    request = Request(scene.world.now, "kim")
    told = foresee(scene.credential, scene.parties, begin=request, clock=scene.world.clock, settle=SETTLE)
    assert told.reason.startswith("version 2, which was begun, would be finished; the revocation")


@pytest.mark.parametrize("again", [False, True], ids=["an hourly run", "asked for again"])
@pytest.mark.parametrize("kind", SCENES)
def test_the_new_version_takes_the_place_of_what_a_person_mistyped(kind: str, *, again: bool) -> None:
    """It logs in, and whoever reads CURRENT is locked out until then."""
    seen = 0
    for at in range(1, MOST_CALLS):
        scene = cut_off(kind, at, spoiled=Secret("etl", "mistyped", "KEY" if kind == "keys" else ""))
        if scene is None:
            continue
        before, new = sorted(scene.vault.records.values(), key=lambda one: one.order)
        is_applied = scene.accepts(new.secret)
        stored, request = note_what_is_stored(scene), asked(scene, revoke=again)
        foretold = foresee(
            scene.credential, scene.parties, begin=request, clock=scene.world.clock, settle=SETTLE
        )
        told = scene.run(request)
        where = f"call {at}: {told.outcome}, {told.reason}; foretold {foretold.reason}"
        assert before.secret not in stored, where
        assert (foretold.outcome == "failed") == (told.outcome == "failed"), where
        if not is_applied:
            continue
        seen += 1
        assert told.outcome == "revoked", where
        assert scene.readers_can_log_in, where
        assert not scene.accepts(before.secret), where
        assert again or foretold.reason.startswith("CURRENT is refused, and version 2 would take its place")
    assert seen
