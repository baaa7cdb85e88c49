"""What an attempt did, step by step, and how it ended: everything here may be shown to anybody.

Rules this file keeps:
- Never a value, and no text that a server echoed.
- The last step is the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from credential_rotation.model import Answer, Credential

DONE = frozenset(
    {"rotated", "revoked", "unchanged", "recovered", "adopted", "retired", "planned", "ok", "closed"}
)
HEALS_BY_ITSELF = frozenset({"waiting", "busy"})


class StepDict(TypedDict):
    """A step as JSON."""

    step: str
    at: str
    detail: str


class _TellsPeople(TypedDict, total=False):
    readers: list[dict[str, int | str]]
    waits_for: list[str]


class OutcomeDict(_TellsPeople):
    """An outcome as JSON: the shape that command line, XCom and evidence share."""

    name: str
    engine: str
    strategy: str
    outcome: str
    version: int | None
    reason: str
    next_step: str
    until: str | None
    attempt: str
    old_value: str | None
    new_value: str | None
    consumers: list[dict[str, str]]
    steps: list[StepDict]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done or found, and when."""

    name: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt on one credential ended."""

    name: str
    engine: str
    strategy: str
    outcome: str
    version: int | None
    reason: str
    next_step: str = ""
    until: datetime | None = None
    attempt: str = ""
    old_value: Answer | None = None
    """Whether the value that was CURRENT before still logs in; None where it was not asked."""
    new_value: Answer | None = None
    """Whether the value that is to be CURRENT logs in; None where there is none."""
    consumers: tuple[tuple[str, Answer, str], ...] = ()
    readers: tuple[tuple[int, str], ...] = ()
    """Version and process, of those that are known to use it; told by `status`."""
    waits_for: tuple[str, ...] = ()
    """Consumers for whom a person has to give their word; nothing heals that by itself."""
    steps: tuple[Step, ...] = ()
    act_by: datetime | None = None
    """When CURRENT breaks its policy's promise, if runs alone do not end what keeps it; None: no promise."""
    needs_approval: bool = False
    """A new version would have begun, had a person said yes to it."""
    is_urgent: bool = False
    """Running it again at once may end an outage, or tell what a lost answer did."""

    @property
    def is_done(self) -> bool:
        """Nothing is left to do and everything was proved."""
        return self.outcome in DONE

    @property
    def heals_by_itself(self) -> bool:
        """The next tick goes on from here; nobody has to act."""
        return self.outcome in HEALS_BY_ITSELF

    def as_dict(self) -> OutcomeDict:
        """The outcome as JSON."""
        return {
            "name": self.name,
            "engine": self.engine,
            "strategy": self.strategy,
            "outcome": self.outcome,
            "version": self.version,
            "reason": self.reason,
            "next_step": self.next_step,
            "until": self.until.isoformat() if self.until else None,
            "attempt": self.attempt,
            "old_value": self.old_value.value if self.old_value else None,
            "new_value": self.new_value.value if self.new_value else None,
            "consumers": [{"consumer": who, "answer": a.value, "why": why} for who, a, why in self.consumers],
            "readers": [{"version": version, "who": who} for version, who in self.readers],
            "waits_for": list(self.waits_for),
            "steps": [{"step": s.name, "at": s.at.isoformat(), "detail": s.detail} for s in self.steps],
        }


def told(
    credential: Credential, outcome: str, reason: str, *, next_step: str = "", version: int | None = None
) -> Outcome:
    """An outcome of its own, where there was no attempt to tell of."""
    return Outcome(
        name=credential.name,
        engine=credential.engine,
        strategy=credential.strategy.value,
        outcome=outcome,
        version=version,
        reason=reason.removeprefix(f"{credential.name}: "),
        next_step=next_step,
    )
