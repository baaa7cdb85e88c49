"""What the agent remembers of secrets that were looked up by name: for a short while, and not without bound.

Rules this file keeps:
- A value lives as long as the settings say, or shorter where the secret's own note says so (`cache_seconds`);
  one with no time to live is never kept.
- What was changed through this agent is forgotten at once.
- What is over is removed, not merely unused: a value stays no longer in memory than it must.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field

from bitwarden_vault.note import LIFE_FIELD, read_note
from bitwarden_vault.untyped import Any

MOST_VALUES = 5_000
MOST_CHARACTERS = 8_000_000
"""Of all values and notes together."""

Wanted = tuple[str, tuple[str, ...]]
"""A key, and the projects (names or ids, as configured) in which it is looked for."""


@dataclass(slots=True, eq=False)
class Kept:
    """One value, when its request was begun, and when it is to be forgotten."""

    secret: dict[str, Any] = field(repr=False)
    begun_at: float
    until: float

    @property
    def size(self) -> int:
        """Characters."""
        return len(self.secret["value"]) + len(self.secret["note"])


class LookupCache:
    """Values by what was asked for."""

    def __init__(self, life: float) -> None:
        self._life = life
        self._kept: OrderedDict[Wanted, Kept] = OrderedDict()
        self._characters = 0
        self._next_end = math.inf
        """No value is over before; the loop asks at every turn, and there may be thousands."""

    def __len__(self) -> int:
        """How many values."""
        return len(self._kept)

    def get(self, wanted: Wanted, now: float) -> Kept | None:
        """What is known and not over."""
        kept = self._kept.get(wanted)
        return kept if kept is not None and kept.until > now else None

    def put(self, wanted: Wanted, secret: dict[str, Any], begun_at: float) -> None:
        """Remember this answer, if it may live; the oldest go where there are too many."""
        self._drop(wanted)
        life = self._life_of(secret["note"])
        if life <= 0:
            return
        kept = Kept(secret, begun_at, begun_at + life)
        self._kept[wanted] = kept
        self._characters += kept.size
        self._next_end = min(self._next_end, kept.until)
        while len(self._kept) > MOST_VALUES or self._characters > MOST_CHARACTERS:
            self._drop(next(iter(self._kept)))

    def forget(self, secret_id: str) -> None:
        """It was changed, or may have been."""
        for wanted in [one for one, kept in self._kept.items() if kept.secret["id"] == secret_id]:
            self._drop(wanted)

    def sweep(self, now: float) -> float:
        """Remove all that is over; the moment at which the next one may be."""
        if now >= self._next_end:
            for wanted in [one for one, kept in self._kept.items() if kept.until <= now]:
                self._drop(wanted)
            self._next_end = min((kept.until for kept in self._kept.values()), default=math.inf)
        return self._next_end

    def _life_of(self, note: str) -> float:
        block = read_note(note)
        told = block.fields.get(LIFE_FIELD, "") if block else ""
        return min(self._life, float(told)) if told.isascii() and told.isdecimal() else self._life

    def _drop(self, wanted: Wanted) -> None:
        kept = self._kept.pop(wanted, None)
        if kept is not None:
            self._characters -= kept.size
