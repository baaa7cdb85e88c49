"""A person edits CURRENT while a new version is on its way: where that takes time, it is read again first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from credential_rotation.model import Secret
from simulators.scene import GRACE, SETTLE, SOAK, Scene, rotated_scene


@pytest.fixture(params=["pair", "keys"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """Strategies whose old value lives on, so that nothing hurries."""
    return rotated_scene(**{request.param: True})


def when_recorded(scene: Scene, edit: Callable[[], None]) -> None:
    """Have it happen once the new version is on record."""

    def look() -> None:
        if scene.world.calls[-1] == "vault: create record":
            scene.world.after_each = lambda: None
            edit()

    scene.world.after_each = look


def test_what_they_write_into_the_note_is_kept(scene: Scene) -> None:
    """Both keep their part of it."""

    def edit() -> None:
        assert scene.vault.current is not None
        scene.vault.current = replace(scene.vault.current, note="ask Kim before you touch this")

    when_recorded(scene, edit)
    assert scene.rotate_now().outcome == "rotated"
    assert scene.vault.current is not None
    assert scene.vault.current.note == "ask Kim before you touch this"


def test_another_value_is_never_written_over(scene: Scene) -> None:
    """The run stops, says so, and the next ones sort out what is there."""
    before = scene.current
    assert before is not None
    theirs = Secret(before.principal, "theirs", before.login)
    when_recorded(scene, lambda: scene.vault.put_current(theirs))
    stopped = scene.rotate_now()
    assert (stopped.outcome, "somebody has changed CURRENT" in stopped.reason) == ("busy", True)
    assert scene.current == theirs
    for _ in range(4):
        scene.world.pass_time(max(GRACE, SOAK) + SETTLE + timedelta(minutes=1))
        scene.run()
    assert scene.readers_can_log_in
    assert len(scene.epochs) == 1


@pytest.mark.parametrize("kind", [{}, {"pair": True}, {"keys": True}], ids=["one role", "a pair", "keys"])
def test_what_bitwarden_answers_instead_is_not_taken_for_the_new_one(kind: dict[str, bool]) -> None:
    """Somebody writes right after us: their value works, and yet the new version is not what readers get."""
    scene = rotated_scene(**kind)
    before = scene.current
    assert before is not None

    def overwrite() -> None:
        if scene.world.calls[-1] == "vault: write CURRENT":
            scene.world.after_each = lambda: None
            scene.target.passwords[before.principal] = before.password
            scene.vault.put_current(before)

    scene.world.after_each = overwrite
    stopped = scene.rotate_now()
    assert (stopped.outcome, "another value than the one just written" in stopped.reason) == ("failed", True)
    assert stopped.is_urgent
