"""A dry run of compromise mode tells what would break, and leaves nothing to look back at."""

from __future__ import annotations

from pathlib import Path

from credential_rotation.attempt.inspection import foresee
from credential_rotation.policy import Request
from credential_rotation.state.history import Asked, keep_outcome
from simulators.scene import SETTLE, rotated_scene


def test_what_would_break_is_no_event(tmp_path: Path) -> None:
    """As the DAG's task keeps it: its steps are of things that did not happen."""
    scene = rotated_scene()
    request = Request(scene.world.now, "anna", now=True, force=True, revoke=True, reason="seen in a chat")
    outcome = foresee(scene.credential, scene.parties, begin=request, clock=scene.world.clock, settle=SETTLE)
    assert outcome.outcome == "planned"
    assert "would end" in {step.name for step in outcome.steps}
    asked = Asked(by="anna", why="seen in a chat", dag_id="rotate_database_credentials", run_id="manual__1")
    keep_outcome(
        {"ROTATION_STATE_PATH": str(tmp_path)}, scene.credential, outcome, asked, now=scene.world.now
    )
    assert list(tmp_path.rglob("*.json")) == []
