"""G4: with `max_wrong_logins: 0` no value is tried at the target that may be wrong."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from simulators.scene import GRACE, SETTLE, Scene
from simulators.world import Crash, Fault


def strict(*, pair: bool) -> Scene:
    """A credential that has never been rotated, of an entry that allows no wrong login."""
    scene = Scene(pair=pair)
    scene.credential = replace(scene.credential, prove_dead="catalog", max_wrong_logins=0)
    return scene


def settle(scene: Scene) -> None:
    """Run until everything is over."""
    for _ in range(3):
        scene.world.pass_time(SETTLE + GRACE + timedelta(minutes=1))
        with suppress(Crash):
            scene.run()


@pytest.mark.parametrize("pair", [False, True], ids=["one role", "a pair"])
@pytest.mark.parametrize("kind", ["crash before", "crash after", "answer lost"])
def test_no_fault_leads_to_a_wrong_login(kind: str, pair: bool) -> None:  # noqa: FBT001 - a parameter
    """G4: a fault at any call of three rotations: all end, old values go, nothing wrong was tried."""
    for at in range(1, 200):
        scene = strict(pair=pair)
        scene.world.fault = Fault(at=at, kind=kind)
        for _ in range(3):
            with suppress(Crash):
                scene.rotate_now()
            settle(scene)
        assert scene.target.wrong_logins == [], f"{kind} at {scene.world.calls[at - 1]}"
        assert scene.readers_can_log_in
        assert len(scene.epochs) == 1, scene.epochs
        if len(scene.world.calls) < at:
            break
    else:
        pytest.fail("it never ran without the fault")


def test_a_pairs_old_value_is_proved_dead_by_its_stamp() -> None:
    """G4: the stamp of its end was left with the change that took the password away; the evidence says so."""
    scene = strict(pair=True)
    assert scene.rotate_now().outcome == "rotated"
    scene.world.pass_time(GRACE + timedelta(minutes=1))
    retired = scene.run()
    assert retired.outcome == "retired"
    [told] = [step.detail for step in retired.steps if step.name == "old value refused by catalog"]
    assert "the stamp says that its password was taken away" in told


@pytest.mark.parametrize(
    ("kind", "prove_dead"), [("one role", "catalog"), ("a pair", "catalog"), ("a pair", "login")]
)
def test_no_value_is_tried_at_an_endpoint_either(kind: str, prove_dead: str) -> None:
    """G4: a replica may count wrong logins too."""
    scene = strict(pair=kind == "a pair")
    scene.credential = replace(scene.credential, prove_dead=prove_dead)
    scene.target.follow()
    scene.rotate_now()
    settle(scene)
    assert (len(scene.epochs), scene.target.wrong_logins) == (1, [])


def test_without_that_word_each_value_may_be_tried_once() -> None:
    """The usual proof is a login that is refused."""
    scene = Scene()
    assert scene.rotate_now().outcome == "rotated"
    assert len(scene.target.wrong_logins) == 1
