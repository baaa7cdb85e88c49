"""What an attempt did, step by step, and how it ended: everything here may be shown to anybody.

Rules this file keeps:
- Never a value, and no text that a server echoed.
- The last step is the outcome.
- A step's name and detail are for people. What a program takes from a step is its fact, so that a sentence
  may change and evidence does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypedDict

from credential_rotation.model import Answer, Credential

DONE = frozenset(
    {"rotated", "revoked", "unchanged", "recovered", "adopted", "retired", "planned", "ok", "closed"}
)
HEALS_BY_ITSELF = frozenset({"waiting", "busy"})


class Shows(str, Enum):
    """What happened to a version, or was found out about it."""

    RECORDED = "recorded"
    """It was written down."""
    PROMOTED = "promoted"
    """It became CURRENT."""
    RETIRED = "retired"
    """Its record was deleted, and with it its life ended."""
    CONFIRMED = "confirmed"
    """A person says that a consumer has it."""
    CHANGED_BY_HAND = "changed by hand"
    """A person has made it, where no tool can."""
    STORED = "stored"
    """Its secret in Bitwarden was changed too, as the secret's own date says."""
    NEW_VALUE = "new value"
    """A place answered to its value before it became CURRENT."""
    CURRENT = "CURRENT"
    """A place answered to CURRENT's value, as Bitwarden gave it."""
    CONSUMER = "consumer"
    """A consumer answered about CURRENT."""
    OLD_VALUE = "old value"
    """A place answered to its value after it was replaced."""
    OLD_VALUE_SEEN = "old value seen"
    """Its value was not tried after it was replaced; the target's own catalog tells the answer."""
    OLD_VALUE_NOT_ASKED = "old value not asked"
    """Its value was not tried after it was replaced, and nothing else was asked: the entry says so."""


class _FactDict(TypedDict, total=False):
    """A step's fact as JSON."""

    shows: str
    version: int
    answer: str
    where: str
    why: str
    principal: str


class StepDict(_FactDict):
    """A step as JSON."""

    step: str
    at: str
    detail: str


class _TellsPeople(TypedDict, total=False):
    readers: list[dict[str, int | str]]
    waits_for: list[str]
    only_words_missing: bool


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
class Fact:
    """What a step shows to who does not read its words."""

    shows: Shows
    version: int | None = None
    """None: CURRENT is asked about, and has no record."""
    answer: Answer | None = None
    """None: nothing was asked."""
    where: str = ""
    """The place or the consumer that answered."""
    why: str = ""
    """On what it rests where nobody answered."""
    principal: str = ""
    """Whom it logs in, where a pair takes turns."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done or found, and when."""

    name: str
    at: datetime
    detail: str = ""
    fact: Fact | None = None
    """None: it is for people only."""
    is_routine: bool = False
    """Nobody looks for it later: an attempt of such steps alone leaves no document."""

    def as_dict(self) -> StepDict:
        """The step as JSON; what its fact does not tell is left out."""
        made: StepDict = {"step": self.name, "at": self.at.isoformat(), "detail": self.detail}
        fact = self.fact
        if fact is None:
            return made
        made["shows"] = fact.shows.value
        if fact.version is not None:
            made["version"] = fact.version
        if fact.answer is not None:
            made["answer"] = fact.answer.value
        if fact.where:
            made["where"] = fact.where
        if fact.why:
            made["why"] = fact.why
        if fact.principal:
            made["principal"] = fact.principal
        return made


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
    only_words_missing: bool = False
    """It is unproved for want of people's word alone."""
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
            "only_words_missing": self.only_words_missing,
            "steps": [step.as_dict() for step in self.steps],
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
