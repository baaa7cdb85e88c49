"""A dry run behind a rotation that was cut off, wherever that was, foresees what the run then does."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from credential_rotation.attempt.inspection import foresee
from credential_rotation.attempt.look import Look
from credential_rotation.outcome import Outcome, Shows
from credential_rotation.policy import Request
from simulators.scene import MOST_CALLS, SETTLE, Scene, rotated_scene

SCENES = {
    "one role": {},
    "itself": {"changes_itself": True},
    "a pair": {"pair": True},
    "keys": {"keys": True},
}
BEGUN = re.compile(r"version (\d+) was begun and would be finished")


def _nothing(scene: Scene) -> None:
    """Nobody has touched it since."""


def _stolen(scene: Scene) -> None:
    assert scene.current is not None
    if scene.keys:
        scene.account.keys[scene.current.login].is_active = False
    scene.target.passwords[scene.current.principal] = "a thief's own"


def _deleted(scene: Scene) -> None:
    scene.vault.current = None


def _both(scene: Scene) -> None:
    _stolen(scene)
    _deleted(scene)


SINCE: dict[str, Callable[[Scene], None]] = {
    "nothing": _nothing,
    "CURRENT refused": _stolen,
    "CURRENT deleted": _deleted,
    "CURRENT refused and deleted": _both,
}


def _cut_off(kind: str, at: int, since: str) -> Scene | None:
    """A rotation that was killed right after this call; None where it left nothing that was begun."""
    scene = rotated_scene(**SCENES[kind])
    if not scene.is_killed_after(at, scene.rotate_now):
        return None
    is_begun = bool(Look(scene.credential, scene.vault.look(), scene.parties.rotator).newer)
    SINCE[since](scene)
    scene.world.pass_time(SETTLE + timedelta(seconds=1))
    return scene if is_begun else None


def _asked(scene: Scene, *, force: bool) -> tuple[Outcome, Outcome]:
    """What a dry run tells, and what the run then does."""
    reason = "why not" if force else None
    request = Request(scene.world.now, "kim", now=True, force=force, reason=reason)
    told = foresee(scene.credential, scene.parties, begin=request, clock=scene.world.clock, settle=SETTLE)
    return told, scene.run(request)


@pytest.mark.parametrize("force", [False, True], ids=["asked for", "forced"])
@pytest.mark.parametrize("since", SINCE)
@pytest.mark.parametrize("kind", SCENES)
def test_what_is_told_is_what_is_done(kind: str, since: str, *, force: bool) -> None:
    """Which version becomes CURRENT, and whether it can be done at all."""
    seen = 0
    for at in range(1, MOST_CALLS):
        scene = _cut_off(kind, at, since)
        if scene is None:
            continue
        seen += 1
        told, done = _asked(scene, force=force)
        where = f"call {at}: {told.reason} / {done.outcome}, {done.reason}"
        if "unless the target's stamp" in told.reason and "is not set again" in done.reason:
            continue  # only an attempt, under its lock, reads the stamp
        assert (told.outcome == "failed") == (done.outcome == "failed"), where
        promoted = [one.fact.version for one in done.steps if one.fact and one.fact.shows is Shows.PROMOTED]
        begun = BEGUN.search(told.reason)
        assert begun is None or int(begun[1]) == promoted[0], where
    assert seen


@pytest.mark.parametrize("kind", ["one role", "a pair"])
def test_where_nothing_works_an_admin_is_named_only_with_force(kind: str) -> None:
    """Without it, the same words and the same remedy as the run's."""
    at = next(at for at in range(1, MOST_CALLS) if _cut_off(kind, at, "nothing"))
    scene = _cut_off(kind, at, "CURRENT refused")
    assert scene is not None
    told, done = _asked(scene, force=False)
    assert (told.outcome, told.reason, told.next_step) == ("failed", done.reason, done.next_step)
    told, _ = _asked(scene, force=True)
    assert told.reason.endswith("the admin would set version 2, which was begun, or a new one")
