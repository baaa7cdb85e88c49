"""Where there is no room for a new key, `resolve` is named for one that nobody recorded, and for no other."""

from __future__ import annotations

from credential_rotation.model import Secret
from simulators.found import KEYS


def test_both_keys_recorded_and_current_mistyped() -> None:
    """Compromise mode goes back to neither of them; what to do works, and then it does."""
    scene = KEYS.past_grace()
    scene.vault.put_current(Secret("etl", "mistyped", "KEY"))
    refused = scene.revoke()
    assert refused.outcome == "failed"
    assert "has no room for a new key beside key KEY2" in refused.reason
    assert "nobody recorded" not in refused.reason
    assert "resolve" not in refused.next_step
    assert "`retire warehouse-etl`" in refused.next_step
    scene.run()
    assert scene.readers_can_log_in
    assert scene.revoke().outcome == "revoked"


def test_a_key_that_nobody_recorded_is_named_with_the_command_that_resolves_it() -> None:
    """It alone: the recorded one is the rotation's."""
    scene = KEYS.at_rest()
    scene.account.make_by_hand()
    refused = scene.rotate_now()
    assert "nobody recorded key KEY3" in refused.reason
    assert "KEY2" not in refused.reason
    assert refused.next_step.endswith("--key KEY3.")
    assert scene.resolve("KEY3").outcome == "recovered"
