"""Kill a rotation at each of its calls, in each way, and ask for it again: nobody is ever locked out.

One request mints one version, whatever happens to it; two where a record came late (`exploration`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from simulators.exploration import Pass, first_broken
from simulators.found import ITSELF, KEYS, PAIR, ROLE
from simulators.scene import Scene

SCENES: dict[str, Callable[[], Scene]] = {
    "first rotation by the admin": ROLE.untouched,
    "first rotation, changes itself": ITSELF.untouched,
    "from nothing": lambda: Scene(stored=False),
    "steady, by the admin": ROLE.at_rest,
    "steady, changes itself": ITSELF.at_rest,
    "first rotation of a pair": PAIR.untouched,
    "steady, a pair": PAIR.at_rest,
    "first rotation of keys": KEYS.untouched,
    "steady, keys": KEYS.at_rest,
}


def ask_again(scene: Scene, asked: datetime) -> object:
    """The same request, as a run that is tried again has it."""
    return scene.rotate_now(asked)


@pytest.mark.parametrize("name", SCENES)
def test_after_any_crash_asking_again_ends_right(name: str) -> None:
    """Each call x {killed before, killed after, answer lost, landing late}: then the ordinary runs."""
    assert first_broken(Pass(SCENES[name], Scene.rotate_now, again=ask_again)) is None
