"""CURRENT is deleted or spoiled by a person while a revocation is under way."""

from __future__ import annotations

from datetime import timedelta

from credential_rotation.model import Secret
from simulators.scene import SETTLE, Scene


def lose_current(scene: Scene, call: int, spoiled: Secret | None = None) -> bool:
    """Whether the revocation was killed right after this call, both versions on record.

    CURRENT is gone then, or holds this, and the next attempt need not wait.
    """
    if not scene.is_killed_after(call, scene.revoke) or scene.epochs != [2, 1]:
        return False
    scene.vault.current = None
    if spoiled is not None:
        scene.vault.put_current(spoiled)
    scene.world.pass_time(SETTLE + timedelta(seconds=1))
    return True
