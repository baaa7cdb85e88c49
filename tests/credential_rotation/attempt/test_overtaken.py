"""A run that has looked, and finds at the lock that another one was quicker."""

from __future__ import annotations

import pytest

from credential_rotation.errors import TargetRefused
from credential_rotation.model import Secret
from simulators.scene import rotated_scene


def test_who_is_overtaken_before_the_lock_is_busy_and_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A role that changes itself logs in to lock; when that value is dead by then, another run was there."""
    scene = rotated_scene(changes_itself=True)
    lock, found = scene.target.lock, []

    def too_late(login: Secret | None, *, changing: str) -> object:
        monkeypatch.setattr(scene.target, "lock", lock)
        found.append(scene.rotate_now())
        return lock(login, changing=changing)

    monkeypatch.setattr(scene.target, "lock", too_late)
    late = scene.rotate_now()
    assert ([one.outcome for one in found], late.outcome, scene.epochs) == (["rotated"], "busy", [2])


def test_a_login_that_fails_where_nobody_was_meanwhile_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The role was closed between look and lock: the next run would find the same."""
    scene = rotated_scene(changes_itself=True)

    def closed(*_: object, **__: object) -> object:
        raise TargetRefused("the role may not log in", next_step="Open it.")

    monkeypatch.setattr(scene.target, "lock", closed)
    assert scene.rotate_now().outcome == "failed"
