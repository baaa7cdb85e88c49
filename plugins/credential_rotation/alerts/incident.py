"""An incident: what needs a person, from its first failure until it is proved to be over.

Rules this file keeps:
- Pure: what an earlier run was told, what this one found and the time decide.
- The same trouble once an hour is one incident; a person hears of it again when what they have to do changes.
- Over is what is proved: work that was done, or a CURRENT that works where that was not known before.
- A revocation that is not finished stays one, whatever else fails meanwhile; only `revoked` ends it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from credential_rotation.alerts.situation import CHECK, REVOCATION, situation
from credential_rotation.outcome import OutcomeDict

FOLDER = "incidents"
RUNS = "run"
"""Of a DAG's runs as such: the plan could not be made, tasks left no outcome."""
STORMS = "storm"
MISSING = "missing"
NO_PLAN = "no plan"
DID_THE_WORK = frozenset({"rotated", "recovered", "adopted", "retired", "revoked", "closed"})
FOUND_IT_WORKING = frozenset({"unchanged", "ok"})
PRESSING = timedelta(days=1)
"""So near to the end of a policy's promise, "it may heal" becomes "act now"."""
_REASON_ROOM = 300


@dataclass(frozen=True, slots=True)
class Member:
    """One credential's trouble, or a plan's."""

    name: str
    work: str
    outcome: str
    words: str
    asks: str
    """What a person has to do, as a digest, whoever met it: another one is told, the same one is not."""
    urgency: int = 9
    is_known_to_work: bool = False
    """A CURRENT that logs in is no news: it did so when this failed, or the schedule is refused."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """Its thread on Slack, and who is still in it."""

    place: str
    """The document's name."""
    id: str
    opened: datetime
    last: datetime
    members: tuple[Member, ...]
    count: int = 1
    """How many runs met it."""
    is_told: bool = False
    channel: str | None = None
    ts: str | None = None
    run: str = ""
    """The run that opened it, where its tasks tell their own ends."""
    proof: str = ""
    """What ended it, at `last`; it is kept on only because Slack has not heard of that."""

    @property
    def is_shared(self) -> bool:
        """Whether it is about a run or a storm, and not about one credential of its own."""
        return self.place.count("/") > 1

    @property
    def names(self) -> tuple[str, ...]:
        """Who is in it."""
        return tuple(one.name for one in self.members)

    def member(self, name: str) -> Member | None:
        """Who has this name."""
        return next((one for one in self.members if one.name == name), None)

    def as_document(self) -> dict[str, Any]:
        """What the state folder keeps."""
        document = asdict(self)
        return document | {"opened": self.opened.isoformat(), "last": self.last.isoformat()}


def opened(place: str, members: Iterable[Member], now: datetime) -> Incident:
    """An incident that begins now, under a fresh id."""
    return Incident(place, secrets.token_hex(4), now, now, tuple(members))


def read_incident(place: str, document: Mapping[str, Any] | None) -> Incident | None:
    """What an earlier run left; None where that cannot be read: then it is a new one."""
    if document is None:
        return None
    try:
        members = tuple(Member(**one) for one in document["members"])
        moments = {name: datetime.fromisoformat(document[name]) for name in ("opened", "last")}
        incident = Incident(**{**document, **moments, "members": members, "place": place})
    except (KeyError, TypeError, ValueError):
        return None
    is_whole = all(one.tzinfo is not None for one in moments.values()) and isinstance(incident.count, int)
    return incident if is_whole and members else None


def member_of(
    outcome: OutcomeDict, work: str, act_by: str | None, now: datetime, *, is_wish: bool = False
) -> Member:
    """A failed credential; a wish that was refused is not asked for again by itself."""
    told = situation(outcome, work)
    is_pressing = act_by is not None and datetime.fromisoformat(act_by) - now < PRESSING
    return Member(
        name=outcome["name"],
        work=work,
        outcome=outcome["outcome"],
        words=told.words,
        asks=_digest(told.words.removeprefix(f"{work} "), told.next_step, str(is_pressing)),
        urgency=min(told.urgency, 1) if is_pressing else told.urgency,
        is_known_to_work=outcome["old_value"] == "works" or (outcome["outcome"] == "refused" and not is_wish),
        reason=outcome["reason"][:_REASON_ROOM],
    )


def missing_member(name: str, work: str) -> Member:
    """A planned credential that nobody can tell of."""
    return Member(name, work, MISSING, f"{work} left no outcome", asks=MISSING, urgency=2)


def plan_member(dag: str, work: str, why: str) -> Member:
    """A plan that was not made, or not for all."""
    return Member(plan_name(dag), work, NO_PLAN, "the run failed", _digest(why), 2, reason=why[:_REASON_ROOM])


def plan_name(dag: str) -> str:
    """What a DAG's own trouble is called; no entry can have this name."""
    return f"{RUNS}/{dag}"


def is_over(member: Member, outcome: OutcomeDict, work: str) -> bool:
    """Whether this outcome, of whichever DAG or command, ends this trouble.

    What did its work ends it. A CURRENT that logs in ends it too, unless it did so when this failed: a
    rotation that fails for want of a privilege is not over because the old password still works. Where
    nothing is stored yet, nothing logged in. An ordinary run never ends a revocation: sessions that were
    opened with the old value outlive it.
    """
    word = outcome["outcome"]
    if member.work == REVOCATION:
        return word == "revoked"
    if word in DID_THE_WORK:
        return True
    if word not in FOUND_IT_WORKING or (word == "unchanged" and outcome["version"] is None):
        return False
    return not member.is_known_to_work or member.work in {work, CHECK}


def is_under_revocation(before: Member, found: Member) -> bool:
    """Whether this failure is an ordinary one, of a credential whose revocation is not finished."""
    return before.work == REVOCATION != found.work


def beside_revocation(before: Member, found: Member) -> Member:
    """The revocation, and that a person has to see to this too."""
    return replace(before, asks=found.asks, urgency=min(found.urgency, 1))


def without(incident: Incident, names: Iterable[str]) -> Incident:
    """The same, and these are out of it."""
    gone = frozenset(names)
    return replace(incident, members=tuple(one for one in incident.members if one.name not in gone))


def met_again(incident: Incident, members: Iterable[Member], now: datetime) -> Incident:
    """The same, and this run met it with these."""
    found = {one.name: one for one in members}
    kept = tuple(found.pop(one.name, one) for one in incident.members)
    return replace(incident, members=kept + tuple(found.values()), last=now, count=incident.count + 1)


def joined(incident: Incident, members: Iterable[Member], now: datetime) -> Incident:
    """The same, with these of the run that opened it."""
    return replace(met_again(incident, members, now), count=incident.count)


def beside(stored: Incident | None, before: Incident, after: Incident) -> Incident:
    """What this run made of `before`, in what is stored by now: another report may have written meanwhile."""
    gone = frozenset(before.names) - frozenset(after.names)
    own = {one.name: one for one in after.members if before.member(one.name) != one}
    others = stored.members if stored is not None and not stored.proof else ()
    kept = [own.pop(one.name, one) for one in others if one.name not in gone]
    return replace(after, members=(*kept, *own.values()))


def ended(incident: Incident, proof: str, now: datetime) -> Incident:
    """The same, and it is over."""
    return replace(incident, proof=proof, last=now)


def begun_again(incident: Incident) -> Incident:
    """It was over, and somebody in it fails again before Slack could be told: the thread goes on."""
    return replace(incident, proof="", members=())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
