"""A request for approval while it waits, and what the answer to it means. Pure.

Rules this file keeps:
- Only a plain yes, by somebody with a name, in time, about the entry as it still is, is a yes.
- A no and silence are ends of their own, which nothing went wrong in; who and when is told.
- What waits for a window is answered before that closes: a yes does not open it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from credential_rotation.approvers import Approval
from credential_rotation.model import ApprovalRule, Credential
from credential_rotation.policy import Request
from credential_rotation.state.approvals import APPROVED, EXPIRED, REFUSED
from credential_rotation.times.windows import next_opening

APPROVE, REFUSE = "Approve", "Refuse"
OPTIONS = (APPROVE, REFUSE)
FORCED = "Forced, in spite of its policy's pause and window, and also where no stored value works"


@dataclass(frozen=True, slots=True)
class Pending:
    """What goes through Airflow with a request, and comes back with its answer."""

    at: str
    until: str
    entry: str
    """A digest of what a person is asked about."""

    def as_kwargs(self) -> dict[str, str]:
        """As Airflow keeps it."""
        return asdict(self)

    @property
    def ends(self) -> datetime:
        """Until when an answer counts."""
        return datetime.fromisoformat(self.until)


@dataclass(frozen=True, slots=True)
class Said:
    """What came back."""

    state: str
    """`approved`, `refused` or `expired`."""
    why: str
    approval: Approval | None = None
    is_answer: bool = True
    """A person's no, or nobody's word: an end, and no mistake."""


def pending(credential: Credential, rule: ApprovalRule, request: Request, now: datetime) -> Pending:
    """A request that is made now."""
    until = now + rule.within
    window = credential.policy.window
    if window is not None and not request.force:
        opening = next_opening(window, now)
        until = min(until, opening.closes) if opening.holds(now) else until
    return Pending(now.isoformat(), until.isoformat(), _digest(credential))


def why_asked(request: Request) -> str:
    """For who answers: a yes to a forced one is a yes to more."""
    why = request.reason or ("it is due" if request.by == "schedule" else f"asked for by {request.by}")
    return f"{FORCED}: {why}" if request.force else why


def judged(event: Mapping[str, object], asked: Pending, credential: Credential) -> Said:
    """What Airflow hands over when somebody has answered, or nobody has in time."""
    if event.get("error_type") == "timeout":
        return Said(EXPIRED, f"nobody answered until {_moment(asked.ends)}")
    who, at = event.get("responded_by_user"), event.get("responded_at")
    name, user_id = (str(who.get(key) or "") if isinstance(who, Mapping) else "" for key in ("name", "id"))
    if not name or not user_id or not isinstance(at, datetime) or not at.tzinfo:
        return Said(REFUSED, "Airflow does not say who answered", is_answer=False)
    if event.get("chosen_options") != [APPROVE]:
        return Said(REFUSED, f"{name} said no, {_moment(at)}")
    if at > asked.ends:
        return Said(
            EXPIRED, f"{name} approved it {_moment(at)}, too late: it was open until {_moment(asked.ends)}"
        )
    if asked.entry != _digest(credential):
        why = f"its entry or policy was changed after it was asked for, so {name}'s yes was to something else"
        return Said(REFUSED, why, is_answer=False)
    return Said(APPROVED, f"approved by {name}, {_moment(at)}", Approval(name, user_id, at))


def _digest(credential: Credential) -> str:
    """Of all that the inventory says, wherever in its files it stands."""
    policy = credential.policy
    days = sorted(policy.window.days) if policy.window else []
    window = replace(policy.window, days=frozenset()) if policy.window else None
    same = replace(credential, source="", policy=replace(policy, window=window))
    return hashlib.sha256(f"{same!r} {days}".encode("utf-8", "replace")).hexdigest()[:16]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
