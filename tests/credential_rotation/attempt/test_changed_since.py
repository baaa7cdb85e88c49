"""A role of a pair whose password somebody has changed: an emergency reset is never undone by a repair."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credential_rotation.model import Answer, Secret
from simulators.scene import SETTLE, Scene, rotated_scene

RESET = "set-by-the-dba"


@pytest.fixture
def scene() -> Scene:
    """In grace, when somebody gives the role in use another password: its value may have leaked."""
    scene = rotated_scene(pair=True)
    scene.rotate_now()
    assert scene.current is not None
    scene.target.passwords[scene.current.principal] = RESET
    return scene


def test_the_repair_does_not_set_the_old_password_again(scene: Scene) -> None:
    """CURRENT goes back to the role that works; the other keeps what it was given, and a person is told."""
    leaked = scene.current
    assert leaked is not None
    for _ in range(2):
        repaired = scene.run()
        assert (repaired.outcome, repaired.old_value) == ("failed", Answer.WORKS)
        assert "somebody has changed its password since; it is not set again" in repaired.reason
        assert leaked.principal in repaired.next_step
        assert "--force" in repaired.next_step
        assert scene.target.passwords[leaked.principal] == RESET
        assert scene.readers_can_log_in


def test_a_persons_force_gives_that_role_a_new_one(scene: Scene) -> None:
    """Neither the value that was taken away nor the one that was set by hand comes back."""
    leaked = scene.current
    assert leaked is not None
    scene.run()
    scene.world.pass_time(SETTLE + timedelta(minutes=1))
    assert scene.rotate_now(force=True).outcome == "rotated"
    assert scene.current is not None
    assert scene.current.principal == leaked.principal
    assert scene.readers_can_log_in
    assert not scene.accepts(leaked)
    assert not scene.accepts(Secret(leaked.principal, RESET))
