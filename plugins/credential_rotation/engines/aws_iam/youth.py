"""Keys that are too young for a no: this process made them a moment ago."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

TOO_YOUNG = 300.0
"""Seconds; AWS promises nothing, and people report up to fifteen."""


@dataclass(slots=True)
class YoungKeys:
    """Ids of keys, since when they are known here."""

    _since: dict[str, float] = field(default_factory=dict)

    def add(self, login: str) -> None:
        """A key was made."""
        self._since.setdefault(login, time.monotonic())

    def forget(self, login: str) -> None:
        """A key is being ended: now a no is what it should say."""
        self._since.pop(login, None)

    def __contains__(self, login: str) -> bool:
        since = self._since.get(login)
        return since is not None and time.monotonic() - since < TOO_YOUNG
