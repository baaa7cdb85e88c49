"""Kill retire, rollback, adopt, revoke and heal at each of their calls: the promises hold after every call.

Only compromise mode may refuse readers: it kills what they read, on purpose. A rollback whose record lands
after a later pass has made that very key inactive stops and pages: nothing is made active by guess.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from credential_rotation.model import Secret
from simulators.exploration import MINUTE, Pass, first_broken
from simulators.scene import BY_HAND, GRACE, SOAK, Scene, rotated_scene

THEIRS = Secret("etl", "a person's")


def after(**kind: bool) -> Callable[[], Scene]:
    """Rotated twice, and grace over."""

    def make() -> Scene:
        scene = rotated_scene(**kind)
        scene.rotate_now()
        scene.world.pass_time(GRACE + MINUTE)
        return scene

    return make


def soaked() -> Scene:
    """The old key is inactive and has soaked."""
    scene = after(keys=True)()
    scene.run()
    scene.world.pass_time(SOAK + MINUTE)
    return scene


def soaking() -> Scene:
    """The old key is inactive and can still come back."""
    scene = after(keys=True)()
    scene.run()
    return scene


def pasted(**kind: bool) -> Callable[[], Scene]:
    """A person has stored an old value."""

    def make() -> Scene:
        scene = rotated_scene(**kind)
        scene.vault.put_current(BY_HAND)
        return scene

    return make


def edited(**kind: bool) -> Callable[[], Scene]:
    """A person has changed the target and stored the new value."""

    def make() -> Scene:
        scene = rotated_scene(**kind)
        scene.target.password = THEIRS.password
        scene.vault.put_current(THEIRS)
        return scene

    return make


def changed_behind_us(**kind: bool) -> Callable[[], Scene]:
    """A person has changed the target and told nobody."""

    def make() -> Scene:
        scene = rotated_scene(**kind)
        scene.target.password = THEIRS.password
        return scene

    return make


RETIRE = {
    "of a pair": Pass(after(pair=True), Scene.run),
    "of keys, to inactive": Pass(after(keys=True), Scene.run),
    "of keys, soaked": Pass(soaked, Scene.run),
}
ROLLBACK = {
    "of a pair": Pass(after(pair=True), Scene.roll_back),
    "of keys": Pass(after(keys=True), Scene.roll_back, may_page="made inactive"),
    "of a key that soaks": Pass(soaking, Scene.roll_back),
}
ADOPT = {
    "one role": Pass(Scene, Scene.adopt),
    "one that changes itself": Pass(lambda: Scene(changes_itself=True), Scene.adopt),
    "a pair": Pass(lambda: Scene(pair=True), Scene.adopt),
    "keys": Pass(lambda: Scene(keys=True), Scene.adopt),
    "a person's edit": Pass(edited(), Scene.adopt),
}
REVOKE = {
    "one role": Pass(rotated_scene, Scene.revoke, readers=False),
    "a pair": Pass(after(pair=True), Scene.revoke, readers=False),
    "keys": Pass(after(keys=True), Scene.revoke, readers=False),
}
HEAL = {
    "an old value pasted": Pass(pasted(), Scene.run),
    "an old value pasted, changes itself": Pass(pasted(changes_itself=True), Scene.run),
    "changed and stored by a person": Pass(edited(), Scene.run),
    "changed behind us": Pass(changed_behind_us(), Scene.rotate_now, theirs=THEIRS, ends=False),
    "changed behind us, changes itself": Pass(
        changed_behind_us(changes_itself=True), Scene.rotate_now, theirs=THEIRS, ends=False
    ),
}
ALL = {
    f"{name}: {case}": one
    for name, cases in {
        "retire": RETIRE,
        "rollback": ROLLBACK,
        "adopt": ADOPT,
        "revoke": REVOKE,
        "heal": HEAL,
    }.items()
    for case, one in cases.items()
}


@pytest.mark.parametrize("name", ALL)
def test_no_pass_breaks_a_promise_wherever_it_is_cut(name: str) -> None:
    """Each call x {killed before, killed after, answer lost, landing late}, then the ordinary runs."""
    assert first_broken(ALL[name]) is None
