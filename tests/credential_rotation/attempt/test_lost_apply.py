"""An apply whose answer is lost: what the target said before it counts no longer."""

from __future__ import annotations

import pytest

from credential_rotation.model import Answer
from simulators.scene import rotated_scene
from simulators.world import Fault

CASES = {
    "it was carried out": ("answer lost", Answer.REFUSED, Answer.WORKS),
    "it was not": ("late", Answer.WORKS, Answer.REFUSED),
}


@pytest.mark.parametrize("case", CASES)
def test_the_ending_tells_what_works_now(case: str) -> None:
    """Both values are asked anew: a person reads whether readers are locked out at this moment."""
    kind, old, new = CASES[case]
    scene = rotated_scene()
    scene.rotate_now()
    at = scene.world.calls.index("target: apply") + 1
    scene = rotated_scene()
    scene.world.fault = Fault(at, kind, lands=10**6)
    lost = scene.rotate_now()
    assert (lost.outcome, lost.old_value, lost.new_value) == ("failed", old, new)
    assert lost.is_urgent
