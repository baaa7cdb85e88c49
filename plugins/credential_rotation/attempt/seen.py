"""All that one attempt did and found, frozen: what stands between its account and its ending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from credential_rotation.model import Answer, Credential
from credential_rotation.outcome import Step

RETIRE_WAITS = "retire waits"
"""A `waiting` that any work that was done comes before."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that one attempt did and found."""

    credential: Credential
    attempt: str
    steps: tuple[Step, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Of each outcome that what was done could be."""
    unproved: tuple[str, ...] = ()
    """What keeps it from being green."""
    unconfirmed: tuple[str, ...] = ()
    """The same of consumers for whom a person gives their word; compromise mode breaks them on purpose."""
    broken: tuple[str, ...] = ()
    """What compromise mode has broken, or can end no further."""
    asks: tuple[str, ...] = ()
    """What people are asked to do, each once."""
    next_step: str = ""
    """What the policy asks for instead."""
    until: datetime | None = None
    waits_for: tuple[str, ...] = ()
    needs_approval: bool = False
    consumers: tuple[tuple[str, Answer, str], ...] = ()
    old_value: Answer | None = None
    """The liveliest answer that a replaced value was given anywhere."""
    has_changed_target: bool = False
    """A value was set or ended."""
    has_promoted: bool = False
    has_promoted_newer: bool = False
    """A version that an earlier attempt had begun became CURRENT."""
    revokes_since: datetime | None = None
    """Where compromise mode got through: what is younger than this is not in wrong hands."""
