"""The steps of an attempt that differ by who makes the values: we, or the target."""

from __future__ import annotations

from typing import Protocol


class Work(Protocol):
    """What one attempt does under the lock, in this order; each step may find nothing to do."""

    def prepare(self) -> None:
        """Weigh what the marks on the target say. Raises: NotOurs."""

    def finish(self) -> None:
        """Bring a version that was begun to its end; this never waits."""

    def retire(self) -> None:
        """End replaced versions whose time is over, prove them dead, delete their records."""

    def disconnect(self) -> None:
        """End what is still open under values from before; where that may not be, the outcome says so."""

    def begin(self) -> None:
        """Make a new version and bring it to CURRENT."""
