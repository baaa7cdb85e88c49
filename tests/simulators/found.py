"""What a pass may find: credentials at rest, past grace, soaking, and what persons have done to them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from credential_rotation.model import Secret
from simulators.scene import BY_HAND, GRACE, SETTLE, SOAK, Scene, rotated_scene
from simulators.world import Crash, Fault

Make = Callable[[], Scene]
MINUTE = timedelta(minutes=1)
THEIRS = Secret("etl", "a person's")


@dataclass(frozen=True)
class Found:
    """A credential of one strategy, and where in its life it is."""

    changes_itself: bool = False
    pair: bool = False
    keys: bool = False

    def at_rest(self) -> Scene:
        """Rotated once."""
        return rotated_scene(changes_itself=self.changes_itself, pair=self.pair, keys=self.keys)

    def untouched(self) -> Scene:
        """Stored by a person, and never rotated."""
        return Scene(changes_itself=self.changes_itself, pair=self.pair, keys=self.keys)

    def past_grace(self) -> Scene:
        """Rotated twice, and grace over."""
        scene = self.at_rest()
        scene.rotate_now()
        scene.world.pass_time(GRACE + MINUTE)
        return scene

    def soaking(self) -> Scene:
        """The old key is inactive and can still come back."""
        scene = self.past_grace()
        scene.run()
        return scene

    def soaked(self) -> Scene:
        """The old key is inactive and has soaked."""
        scene = self.soaking()
        scene.world.pass_time(SOAK + MINUTE)
        return scene

    def pasted(self) -> Scene:
        """A person has stored an old value."""
        scene = self.at_rest()
        paste(scene)
        return scene

    def edited(self) -> Scene:
        """A person has changed the target and stored the new value."""
        scene = self.at_rest()
        edit(scene)
        return scene

    def changed_behind_us(self) -> Scene:
        """A person has changed the target and told nobody."""
        scene = self.at_rest()
        scene.target.password = THEIRS.password
        return scene


ROLE, ITSELF, PAIR, KEYS = Found(), Found(changes_itself=True), Found(pair=True), Found(keys=True)


def paste(scene: Scene) -> None:
    """A person stores an old value."""
    scene.world.do("write CURRENT by hand", lambda: scene.vault.put_current(BY_HAND))


def edit(scene: Scene) -> None:
    """A person changes the target and then stores the value."""

    def change() -> None:
        scene.target.password = THEIRS.password

    scene.world.do("change the target by hand", change)
    scene.world.do("write CURRENT by hand", lambda: scene.vault.put_current(THEIRS))


def edit_note(scene: Scene) -> None:
    """A person opens CURRENT, edits its note, and saves it with the value that was there."""
    seen = scene.world.do("open CURRENT by hand", lambda: scene.current)
    assert seen is not None
    scene.world.do("write CURRENT by hand", lambda: scene.vault.put_current(seen))


def make_a_key(scene: Scene) -> None:
    """A person makes a key, where there is room for one, and tells nobody."""

    def make() -> None:
        if len(scene.account.keys) == 1:
            scene.account.make_by_hand()

    scene.world.do("make a key by hand", make)


def killed(make: Make, call: str, kind: str, lands: int = 0) -> Make:
    """A rotation was killed at the first call that ends so."""

    def wrecked() -> Scene:
        probe = make()
        probe.rotate_now()
        at = next(n for n, name in enumerate(probe.world.calls, start=1) if name.endswith(call))
        scene = make()
        scene.world.fault = Fault(at, kind, lands)
        with suppress(Crash):
            scene.rotate_now()
        scene.world.fault = None
        return scene

    return wrecked


def with_a_persons_key() -> Scene:
    """A run was killed before its mint; a person has made a key meanwhile, and it settled."""
    scene = killed(KEYS.at_rest, "mint", "crash before")()
    scene.account.make_by_hand()
    scene.world.pass_time(SETTLE + MINUTE)
    return scene


def with_a_late_old_intent() -> Scene:
    """An intent from before CURRENT's key was made lands late."""
    scene = KEYS.at_rest()
    early = scene.world.now.replace(day=25, minute=0)
    scene.vault.intend(epoch=1, attempt="beef", written=early, there=())
    scene.world.pass_time(SETTLE + MINUTE)
    return scene


def with_a_record_on_its_way() -> Scene:
    """A run was killed when the record of its key was sent and had not landed; it has nearly settled."""
    scene = killed(KEYS.at_rest, "create record", "crash, late", lands=10**6)()
    scene.world.now += SETTLE - MINUTE
    return scene
