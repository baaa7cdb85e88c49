"""A replaced value lives on for exactly those who still use it, and nobody loses it unnamed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from credential_rotation.outcome import Step
from credential_rotation.readership import Reader
from simulators.scene import GRACE, SOAK, Scene, rotated_scene

KINDS = pytest.mark.parametrize("kind", ["pair", "keys"])
TASK = "dag nightly_load task load (run manual__1) on host-a"
WORKER = "worker process 4242 (airflow worker) on host-b, outside any task: restart that worker"
DAY = timedelta(days=1)


def _scene(kind: str) -> Scene:
    """At rest, with version 1 as CURRENT."""
    return rotated_scene(pair=kind == "pair", keys=kind == "keys")


def _read(scene: Scene, version: int, who: str = TASK) -> Reader:
    assert scene.vault.current is not None
    return scene.readers.begin(scene.vault.current.id, version, who)


def _rotated_and_past_grace(scene: Scene) -> None:
    assert scene.rotate_now().outcome == "rotated"
    scene.world.pass_time(GRACE + timedelta(minutes=1))


@KINDS
def test_retire_waits_for_who_read_the_old_version_and_for_nobody_else(kind: str) -> None:
    """C7: the reason names version, task and host; when that ends, the next tick retires."""
    scene = _scene(kind)
    before, task = scene.current, _read(scene, 1)
    assert before is not None
    _rotated_and_past_grace(scene)
    _read(scene, 2, "dag other task reads (run r) on host-a")
    waits = scene.run()
    assert waits.outcome == "waiting"
    assert waits.heals_by_itself
    assert waits.reason == f"version 1 is still read by {TASK}"
    assert scene.accepts(before)
    scene.readers.end(task)
    scene.run()
    scene.world.pass_time(SOAK + timedelta(minutes=1))
    assert (scene.run().outcome == "retired") or kind == "pair"
    assert not scene.accepts(before)


@KINDS
def test_a_worker_outside_any_task_is_waited_for_and_its_restart_is_asked_for(kind: str) -> None:
    """B9: it fetched the value once and keeps it for its life."""
    scene = _scene(kind)
    _read(scene, 1, WORKER)
    _rotated_and_past_grace(scene)
    assert "restart that worker" in scene.run().reason


@KINDS
def test_the_next_version_waits_for_them_too_and_says_why(kind: str) -> None:
    """The old value's place is still taken."""
    scene = _scene(kind)
    _read(scene, 1)
    _rotated_and_past_grace(scene)
    waits = scene.rotate_now()
    assert waits.outcome == "waiting"
    assert TASK in waits.reason
    assert "the next one begins after that" in waits.reason
    assert scene.epochs == [2, 1]


@KINDS
def test_a_day_after_grace_a_person_is_told_and_the_value_still_lives(kind: str) -> None:
    """Never retired under a living reader: only who has to act changes."""
    scene = _scene(kind)
    before = scene.current
    assert before is not None
    _read(scene, 1)
    _rotated_and_past_grace(scene)
    scene.world.pass_time(DAY - timedelta(minutes=5))
    scene.readers.heard = scene.world.now
    assert scene.run().outcome == "waiting"
    scene.world.pass_time(timedelta(minutes=10))
    told = scene.run()
    assert told.outcome == "unproved"
    assert TASK in told.reason
    assert scene.accepts(before)


@KINDS
def test_compromise_mode_waits_for_nobody_and_names_whom_it_breaks(kind: str) -> None:
    """In the outcome's reason, for whoever is called next."""
    scene = _scene(kind)
    before = scene.current
    assert before is not None
    _read(scene, 1)
    revoked = scene.revoke()
    assert revoked.outcome == "revoked"
    assert f"was still read by {TASK}" in revoked.reason
    assert not scene.accepts(before)


@KINDS
def test_unknown_readers_leave_it_to_grace_and_the_steps_say_so(kind: str) -> None:
    """A folder that is gone stops no rotation."""
    scene = _scene(kind)
    before = scene.current
    assert before is not None
    scene.readers.unknown = "ROTATION_STATE_PATH cannot be listed"
    _rotated_and_past_grace(scene)
    outcome = scene.run()
    assert "grace alone decides" in _details(outcome.steps, "readers unknown")
    scene.world.pass_time(SOAK + timedelta(minutes=1))
    scene.run()
    assert not scene.accepts(before)


@KINDS
def test_who_was_not_heard_of_for_a_day_is_named_when_its_value_is_ended(kind: str) -> None:
    """A host that went silent is no reason to keep a value for ever."""
    scene = _scene(kind)
    before = scene.current
    assert before is not None
    _read(scene, 1)
    _rotated_and_past_grace(scene)
    scene.world.pass_time(DAY + timedelta(minutes=1))
    outcome = scene.run()
    assert TASK in _details(outcome.steps, "readers forgotten")
    scene.world.pass_time(SOAK + timedelta(minutes=1))
    scene.run()
    assert not scene.accepts(before)


def test_who_read_what_a_rollback_made_current_again_is_not_waited_for() -> None:
    """Its value is CURRENT's."""
    scene = _scene("pair")
    _read(scene, 1)
    assert scene.rotate_now().outcome == "rotated"
    assert scene.roll_back().outcome == "recovered"
    scene.world.pass_time(GRACE + timedelta(minutes=1))
    assert scene.run().outcome == "retired"
    assert scene.epochs == [3]


def test_in_place_has_nothing_to_wait_for() -> None:
    """The old value died when the new one was applied."""
    scene = rotated_scene()
    _read(scene, 1)
    assert scene.rotate_now().outcome == "rotated"
    assert scene.epochs == [2]


def test_an_inactive_key_waits_for_its_soak_alone() -> None:
    """Who reads it is refused already, and would have been seen while it soaks."""
    scene = _scene("keys")
    _rotated_and_past_grace(scene)
    scene.run()
    _read(scene, 1)
    scene.world.pass_time(SOAK + timedelta(minutes=1))
    assert scene.run().outcome == "retired"


def _details(steps: Iterable[Step], name: str) -> str:
    found = [step.detail for step in steps if step.name == name]
    assert found, name
    return "; ".join(found)
