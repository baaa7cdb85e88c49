"""A value from outside becomes CURRENT: only where nothing is stored, also at the last moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from credential_rotation.attempt.first_value import take_first_value
from credential_rotation.model import Secret
from credential_rotation.outcome import Outcome
from simulators.scene import BY_HAND, SETTLE, Scene

THEIRS = Secret("etl", "a rival's")


def take(scene: Scene) -> Outcome:
    return take_first_value(
        scene.credential, scene.parties, BY_HAND, take_over=False, clock=scene.world.clock, settle=SETTLE
    )


def store_current(scene: Scene) -> None:
    scene.vault.put_current(THEIRS)


def write_record(scene: Scene) -> None:
    scene.vault.record(epoch=1, attempt="rival", written=scene.world.now, secret=THEIRS)


def intend(scene: Scene) -> None:
    scene.vault.intend(epoch=1, attempt="rival", written=scene.world.now, there=())


Rival = Callable[[Scene], None]
RIVALS: dict[str, tuple[Rival, Secret | None, list[Secret]]] = {
    "stores a value": (store_current, THEIRS, []),
    "writes a record": (write_record, None, [THEIRS]),
    "writes an intent": (intend, None, []),
}
"""What they do, and CURRENT and the records that are left of it."""


@pytest.mark.parametrize("rival", RIVALS)
def test_who_was_quicker_to_the_lock_keeps_what_they_stored(rival: str) -> None:
    """It is looked for again under the lock: nothing of theirs is replaced, and nothing is added to it."""
    scene = Scene(stored=False)
    store, current, records = RIVALS[rival]

    def meanwhile() -> None:
        if scene.world.calls[-1] == "target: lock":
            scene.world.after_each = lambda: None
            store(scene)

    scene.world.after_each = meanwhile
    refused = take(scene)
    assert (refused.outcome, "is stored already" in refused.reason) == ("refused", True)
    assert (scene.current, [record.secret for record in scene.vault.records.values()]) == (current, records)


def test_where_nothing_is_stored_it_is_current_with_a_record() -> None:
    """Nothing has changed on the target."""
    scene = Scene(stored=False)
    assert take(scene).outcome == "adopted"
    assert (scene.current, scene.epochs, scene.target.applied) == (BY_HAND, [0], [])
