"""Which failures share a thread on Slack, and how what they share reads.

Rules this file keeps:
- A few failures of a run have a thread each; many are one.
- A run whose tasks tell their own ends has the same bound, though none of them knows of the others.
- Who joins them wakes nobody, but for one that is worse than all before: that may not wait for the run's end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from credential_rotation.alerts.incident import (
    FOLDER,
    MISSING,
    NO_PLAN,
    STORMS,
    Incident,
    beside_revocation,
    is_under_revocation,
)
from credential_rotation.alerts.incident_messages import beside_message, storm_message
from credential_rotation.alerts.message import Message
from credential_rotation.alerts.run import Found, Run

MOST_ALONE = 3
"""So many failures of one run get a thread each, and one more; above that all share one."""


def openings(found: Sequence[Found], run: Run) -> list[tuple[Sequence[Found], Message]]:
    """Who shares a thread, and its first message: each has its own, but for a storm."""
    if len(found) <= MOST_ALONE + 1:
        return [([one], one.message) for one in found]
    return [(found, storm_message([one.member for one in found], run))]


def as_it_is(incident: Incident, run: Run, again: Sequence[Found]) -> Message:
    """The first message, as this run would write it."""
    if not incident.is_shared and again:
        return again[0].message
    plan = [one for one in incident.members if one.outcome == NO_PLAN]
    missing = [one for one in incident.members if one.outcome == MISSING]
    if len(plan) + len(missing) == len(incident.members):
        return run.about_itself([one.name for one in missing], why=plan[0].reason if plan else "")
    return storm_message(incident.members, run)


def of_all(found: Sequence[Found], run: Run) -> Message:
    """What these have to say together."""
    return found[0].message if len(found) == 1 else storm_message([one.member for one in found], run)


def as_met(before: Incident, found: Found) -> Found:
    """What this run found, as it reads in this incident."""
    known, now = before.member(found.member.name), found.member
    if known is None or not is_under_revocation(known, now):
        return found
    return Found(beside_revocation(known, now), beside_message(found.message, known, now.words))


def is_worst(incident: Incident, found: Found) -> bool:
    """Whether it hurries more than all others in there."""
    others = (one for one in incident.members if one.name != found.member.name)
    return all(found.member.urgency < one.urgency for one in others)


def places_of_part(run: Run, name: str) -> tuple[str, str]:
    """Where an incident of this credential alone is kept, and the one that this run's others share."""
    digest = hashlib.sha256(run.key.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{FOLDER}/{name}", f"{FOLDER}/{STORMS}/{digest}-{run.dag or run.work}"
