"""Hours in which a replaced value only lives on leave nothing to look back at, however long it takes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.outcome import Outcome
from credential_rotation.state.history import Asked, folder_of, keep_outcome
from simulators.scene import GRACE, Scene, rotated_scene

HOUR = timedelta(hours=1)
HOURS = 6


def _kept(scene: Scene, outcome: Outcome, state: Path) -> list[str]:
    environ = {"ROTATION_STATE_PATH": str(state)}
    keep_outcome(environ, scene.credential, outcome, Asked("schedule"), now=scene.world.now)
    return StateFolder(str(state)).names(folder_of(scene.credential.name))


@pytest.mark.parametrize("kind", ["pair", "keys"])
def test_an_unreadable_folder_is_kept_with_what_was_done_and_not_hour_by_hour(
    kind: str, tmp_path: Path
) -> None:
    """A document an hour for each credential would be kept for four hundred days."""
    scene = rotated_scene(pair=kind == "pair", keys=kind == "keys")
    assert scene.vault.current is not None
    reading = scene.readers.begin(scene.vault.current.id, 1, "dag load task load (run r) on host-a")
    scene.rotate_now()
    scene.world.pass_time(GRACE + timedelta(minutes=1))
    scene.readers.unknown = "readers/host-b-1 under '/state' cannot be understood"
    for _ in range(HOURS):
        waits = scene.run()
        assert "grace alone decides" in " ".join(step.detail for step in waits.steps)
        assert _kept(scene, waits, tmp_path) == []
        scene.world.pass_time(HOUR)
    scene.readers.end(reading)
    [name] = _kept(scene, scene.run(), tmp_path)
    document = StateFolder(str(tmp_path)).read(name)
    assert document is not None
    assert "readers unknown" in [step["step"] for step in document["steps"]]
