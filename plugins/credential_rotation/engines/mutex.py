"""What keeps two runs apart where the target has no lock: entered before anything is changed there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Hold(Protocol):
    """What a mutex gives to whoever is in it; no fence: it stops nobody who does not ask."""

    def still_held(self) -> bool:
        """Whether one more request surely ends before somebody else may come in."""


Mutex = Callable[[], AbstractContextManager[Hold]]
"""Entering raises: Busy, VaultTrouble."""
