"""An admin that is rotated at the same moment as a role that it changes is no broken admin."""

from __future__ import annotations

import time

import pytest

from credential_rotation.engines.postgres.rotator import BETWEEN_LOOKS, LOOKS, PostgresRotator
from credential_rotation.errors import TargetRefused
from credential_rotation.model import Secret
from scenes.postgres.role import Scene


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


def test_its_new_value_is_taken_once_it_is_stored(scene: Scene, slept: list[float]) -> None:
    """Between its apply and its promote the stored one is refused: a second later the lock is had."""
    stored = [scene.admins, scene.admins, Secret(scene.admin, "the-new-one-of-the-admin")]
    scene.sql(f"ALTER ROLE {scene.admin} PASSWORD 'the-new-one-of-the-admin'")
    rotator = PostgresRotator(scene.credential(), admin=lambda: stored.pop(0))
    with rotator.lock(None, changing=scene.role):
        assert slept == [BETWEEN_LOOKS] * 2


def test_a_stored_password_that_is_wrong_is_tried_once(scene: Scene, slept: list[float]) -> None:
    """Nobody stores another: it is told, and no second wrong login is made of the same value."""
    asked: list[Secret] = []

    def admin() -> Secret:
        asked.append(Secret(scene.admin, "wrong"))
        return asked[-1]

    rotator = PostgresRotator(scene.credential(), admin=admin)
    with pytest.raises(TargetRefused, match=f"refuses admin {scene.admin}"), rotator.lock(None, changing="x"):
        pass
    assert (len(slept), len(asked)) == (LOOKS, LOOKS + 1)
