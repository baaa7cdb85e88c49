"""Kill an attempt at each of its calls, in each way, and run it again: nobody is ever locked out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from simulators.scene import SETTLE, Scene, rotated_scene
from simulators.world import Crash, Fault

SCENES: dict[str, Callable[[], Scene]] = {
    "first rotation by the admin": Scene,
    "first rotation, changes itself": lambda: Scene(changes_itself=True),
    "from nothing": lambda: Scene(stored=False),
    "steady, by the admin": rotated_scene,
    "steady, changes itself": lambda: rotated_scene(changes_itself=True),
    "first rotation of a pair": lambda: Scene(pair=True),
    "steady, a pair": lambda: rotated_scene(pair=True),
    "first rotation of keys": lambda: Scene(keys=True),
    "steady, keys": lambda: rotated_scene(keys=True),
}

CHANGING = (
    *("create record", "create intent", "create ending", "write CURRENT", "delete"),
    *("apply", "kill", "mint", "deactivate", "remove"),
)


def watched(scene: Scene) -> Scene:
    """From the first stored value on, some stored value logs in, after every single call."""
    seen = []

    def check() -> None:
        if scene.somebody_can_log_in:
            seen.append(True)
        assert scene.somebody_can_log_in or not (seen or scene.stored), scene.world.calls
        assert scene.readers_can_log_in or not (scene.pair or scene.keys), scene.world.calls
        assert not scene.account.asked_for_a_third, scene.world.calls

    scene.world.after_each = check
    return scene


def faults(make: Callable[[], Scene]) -> list[Fault]:
    """Every call x every way to fail; a late effect lands at each of the calls that follow."""
    scene = make()
    scene.rotate_now()
    calls = list(enumerate(scene.world.calls, start=1))
    late = [at for at, call in calls if call.endswith(CHANGING)]
    found = [Fault(at, kind) for at, _ in calls for kind in ("crash before", "crash after", "answer lost")]
    return found + [Fault(at, "late", lands) for at in late for lands in range(1, 3 * len(calls))]


@pytest.mark.parametrize("name", SCENES)
def test_after_any_crash_running_it_again_ends_right(name: str) -> None:
    """Each call x {killed before, killed after, answer lost, landing late}: then the ordinary runs."""
    for fault in faults(SCENES[name]):
        scene = watched(SCENES[name]())
        scene.world.fault = fault
        asked = scene.world.now
        with suppress(Crash):
            scene.rotate_now(asked)
        scene.run()
        for _ in range(4):  # settle, and then grace and soak begin only when a pass has promoted
            scene.rotate_now(asked)
            scene.world.pass_time(SETTLE + timedelta(minutes=1))
        last = [scene.rotate_now(asked), scene.run(), scene.run()][-1]

        case = f"{name}, {fault}, {scene.world.calls}"
        assert last.outcome == "unchanged", f"{last} {case}"
        assert scene.current is not None, case
        assert scene.accepts(scene.current), case
        assert not scene.vault.intents, case
        assert not scene.vault.endings, case
        assert len(scene.account.keys) == 1 or not scene.keys, case
        assert len(scene.vault.records) == 1, case
        assert scene.world.clock() > asked
        scene.world.pass_time(timedelta(days=91))
        assert scene.tick().outcome == "rotated", case


@pytest.mark.parametrize("name", SCENES)
def test_no_crash_makes_a_version_too_many(name: str) -> None:
    """One request, whatever happens to it, mints one version, or two where a record came late."""
    for fault in faults(SCENES[name]):
        scene = SCENES[name]()
        first = max(scene.epochs, default=0)
        scene.world.fault = fault
        asked = scene.world.now
        with suppress(Crash):
            scene.rotate_now(asked)
        for _ in range(3):
            scene.rotate_now(asked)
            scene.world.pass_time(SETTLE)
        assert len(set(scene.target.applied) - set(range(first + 1))) <= 1 + (fault.kind == "late"), fault
