"""Who still uses a version of a credential, as far as anybody knows.

Rules this file keeps:
- Not to know is told, and is neither "somebody" nor "nobody".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from credential_rotation.model import Current


@dataclass(frozen=True, slots=True)
class Reader:
    """A living process, and the oldest version that it was given."""

    version: int
    who: str
    """For people: the task or process, its host, and what ends its use where nothing else does."""


@dataclass(frozen=True, slots=True)
class Readership:
    """Everybody who was given a version of one credential."""

    living: tuple[Reader, ...] = ()
    forgotten: tuple[Reader, ...] = ()
    """Not heard of for so long that nobody waits for them any more."""
    unseen: tuple[Reader, ...] = ()
    """They asked for others, and nobody knows for whom."""
    unknown: str = ""
    """Why somebody may be missing; empty where nothing speaks for that."""


class Unwatched:
    """Implements `protocols.Readers` where nobody is watched."""

    def of(self, current: Current) -> Readership:  # noqa: ARG002 - as the protocol has it
        """Nobody is known."""
        return Readership()


UNWATCHED = Unwatched()
