"""One run as people are told of it: what came of each credential, what is missing, what went wrong.

Rules this file keeps:
- Everything here may be shown to anybody.
- What is told of one failure does not depend on what other runs found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from credential_rotation.alerts.blocks import footer
from credential_rotation.alerts.incident import (
    RUNS,
    Member,
    member_of,
    missing_member,
    plan_member,
)
from credential_rotation.alerts.message import Message, failure_message, run_message
from credential_rotation.alerts.situation import needs_a_person
from credential_rotation.outcome import OutcomeDict


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that needs a person, and the message about it alone."""

    member: Member
    message: Message


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is over, of a DAG or of the command line."""

    work: str
    run: str
    outcomes: tuple[OutcomeDict, ...]
    dag: str = ""
    link: str | None = None
    deployment: str | None = None
    planned: int = 0
    has_plan: bool = True
    is_chosen: bool = False
    """It was about certain credentials, and not about all of its DAG."""
    missing: tuple[str, ...] = ()
    trouble: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    act_by: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    why: str | None = None
    is_wish: bool = False
    """Somebody asked for it; no schedule repeats it."""
    is_part: bool = False
    """One task's end: others of its run tell theirs."""
    removed: frozenset[str] = frozenset()
    """Names that no entry has any more."""

    @property
    def where(self) -> str:
        """The small grey line."""
        return footer(self.deployment, f"run {self.run}")

    @property
    def is_planned_well(self) -> bool:
        """A plan was made of all that there is, and nothing kept it from being whole."""
        return self.has_plan and not self.is_chosen and not self.trouble and bool(self.dag)

    @property
    def key(self) -> str:
        """What tells this run from all others."""
        return f"{self.dag or self.work} {self.run}"

    def outcome(self, name: str) -> OutcomeDict | None:
        """What came of this credential."""
        return next((one for one in self.outcomes if one["name"] == name), None)

    def failures(self, now: datetime) -> list[Found]:
        """Credentials that need a person, the worst first."""
        found = [
            Found(self._member(one, now), self.about(one))
            for one in self.outcomes
            if needs_a_person(one, self.work)
        ]
        return sorted(found, key=lambda one: (one.member.urgency, one.member.name))

    def _member(self, outcome: OutcomeDict, now: datetime) -> Member:
        return member_of(outcome, self.work, self.act_by.get(outcome["name"]), now, is_wish=self.is_wish)

    def own_trouble(self) -> list[Found]:
        """What is wrong with the run itself: credentials without an outcome, a plan that was not made."""
        lost = [Found(missing_member(one, self.work), self.about_itself([one])) for one in self.missing]
        if not self.trouble:
            return lost
        return [
            Found(plan_member(self.dag or RUNS, self.work, self.trouble), self.about_itself(self.missing)),
            *lost,
        ]

    def about(self, outcome: OutcomeDict) -> Message:
        """One failure, in full."""
        name = outcome["name"]
        return failure_message(
            outcome,
            link=self.links.get(name, self.link),
            deployment=self.deployment,
            owner=self.owners.get(name, "not known"),
            run=self.run,
            work=self.work,
            act_by=self.act_by.get(name),
        )

    def about_itself(self, missing: list[str] | tuple[str, ...], why: str | None = None) -> Message:
        """The run's own trouble, in full."""
        return run_message(
            planned=max(self.planned, len(missing)),
            missing=missing,
            link=self.link,
            deployment=self.deployment,
            run=self.run,
            why=self.trouble if why is None else why,
            work=self.work,
        )
