"""A dry run behind a revocation that was cut off, wherever that was, foresees what the run then does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from credential_rotation.attempt.inspection import foresee
from credential_rotation.attempt.look import Look
from credential_rotation.outcome import Outcome, Shows
from credential_rotation.policy import Request
from simulators.scene import MOST_CALLS, SETTLE, Scene, rotated_scene

SCENES = {"one role": {}, "a pair": {"pair": True}, "keys": {"keys": True}}


def _nothing(scene: Scene) -> None:
    """Nobody has touched it since."""


def _stolen(scene: Scene) -> None:
    assert scene.current is not None
    scene.target.passwords[scene.current.principal] = "a thief's own"


def _by_hand(scene: Scene) -> None:
    assert scene.current is not None
    stored = type(scene.current)(scene.current.principal, "a person's own")
    scene.target.passwords[stored.principal] = stored.password
    scene.vault.put_current(stored)


SINCE: dict[str, Callable[[Scene], None]] = {"nothing": _nothing, "stolen": _stolen, "by hand": _by_hand}


def _cut_off(kind: str, at: int, since: str, *, settled: bool) -> Scene | None:
    """A revocation that was killed right after this call; None where it left nothing to see through."""
    scene = rotated_scene(**SCENES[kind])
    scene.world.calls.clear()
    if not scene.is_killed_after(at, scene.revoke):
        return None
    SINCE[since](scene)
    scene.world.pass_time(SETTLE + timedelta(seconds=1) if settled else timedelta(seconds=1))
    is_open = Look(scene.credential, scene.vault.look(), scene.parties.rotator).revoking is not None
    return scene if is_open else None


def _told_as_ended(outcome: Outcome) -> set[int]:
    """The versions that end in this run, as the dry run tells it."""
    told = next(step.detail for step in outcome.steps if step.name == "would end")
    versions, is_now, _ = told.partition(", at once")
    return {int(one.removeprefix("version ")) for one in versions.split(", ") if is_now and one != "CURRENT"}


@pytest.mark.parametrize("now", [False, True], ids=["by schedule", "asked for"])
@pytest.mark.parametrize("settled", [False, True], ids=["at once", "settled"])
@pytest.mark.parametrize(
    ("kind", "since"),
    [(kind, since) for kind in SCENES for since in SINCE if kind != "keys" or since == "nothing"],
)
def test_what_is_told_is_what_is_done(kind: str, since: str, *, settled: bool, now: bool) -> None:
    """What ends and what does not yet, whether a new version follows, and whether it can be done at all."""
    seen = 0
    for at in range(1, MOST_CALLS):
        scene = _cut_off(kind, at, since, settled=settled)
        if scene is None:
            continue
        seen += 1
        before = {one.epoch: one.secret for one in scene.vault.records.values()}
        alive = {epoch for epoch, secret in before.items() if scene.accepts(secret)}
        request = Request(scene.world.now, "kim", now=now)
        told = foresee(scene.credential, scene.parties, begin=request, clock=scene.world.clock, settle=SETTLE)
        done = scene.run(request)
        assert (told.outcome == "failed") == (done.outcome == "failed"), at
        ended = {epoch for epoch in alive if not scene.accepts(before[epoch])}
        assert ended == (_told_as_ended(told) & alive if told.outcome == "planned" else set()), at
        promoted = [one.fact.version for one in done.steps if one.fact and one.fact.shows is Shows.PROMOTED]
        assert ("then a new version" in told.reason) == bool(set(promoted) - before.keys()), at
    assert seen
