"""When a credential is due: pure decisions, each with its reason.

Rules this file keeps:
- No I/O and no clock: everything that matters comes in.
- "Now" means older than the request, so that a retried or cleared run does not rotate twice.
- `pause` and `window` stop what begins new versions, never what finishes or repairs one.
- What a person asked for and did not get is never told as if nothing had been left to do.
- What a policy wants approved begins with somebody else's yes, or not at all. Compromise mode waits for
  nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from credential_rotation.approvers import WITH_APPROVAL, Approval, why_not
from credential_rotation.errors import BadInput
from credential_rotation.model import UNMANAGED_EPOCH, CatchUp, Policy
from credential_rotation.times.durations import write_duration
from credential_rotation.times.schedule import falls_due
from credential_rotation.times.windows import is_open, last_opening, next_opening

PAUSED = "paused by its policy"
UNPAUSE = "Take `pause` out of its policy, or force it and say why."
UNAPPROVED = "its policy wants the approval of a second person"
ASK = f"Trigger the DAG {WITH_APPROVAL} for it: Airflow knows who asks and who answers, a shell does not."
ASKED_BY_ITSELF = f"Nothing: {WITH_APPROVAL} asks by itself, unless it is paused; then a person answers."
NOT_OPEN = "Ask again when it is open, or force it and say why; nothing asks again by itself."


class Version(Protocol):
    """As much of a record as a decision needs; its key alone tells this."""

    @property
    def epoch(self) -> int:
        """The version's number."""

    @property
    def written(self) -> datetime:
        """When it was minted."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants a rotation, since when, and how urgently."""

    at: datetime
    by: str
    now: bool = False
    """Asked for by a person: not being due is no reason not to."""
    force: bool = False
    """Also ignores window and pause, and lets an admin set a password where no stored value works."""
    reason: str | None = None
    revoke: bool = False
    """The value may be in wrong hands: nothing from before lives on, and nothing is waited for."""
    not_before: datetime | None = None
    """The earliest moment at which it may begin; a version that is younger than that will do."""
    approval: Approval | None = None
    """Somebody's yes to this very request."""

    def __post_init__(self) -> None:
        if (self.force or self.revoke) and not (self.reason or "").strip():
            what = "compromise mode" if self.revoke else "a forced rotation"
            raise BadInput(
                f"{what} needs a reason, and none was given",
                next_step="Say why: it is kept as evidence. (`--reason`, or the form's field Reason.)",
            )


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to begin a new version, and why or why not."""

    begin: bool
    reason: str
    at: datetime | None = None
    """When it is due or may begin, where that is known."""
    blocked: bool = False
    """It is due or was asked for, and pause, window or `not_before` holds it back."""
    outcome: str = "unchanged"
    """What a pass that only does not begin it has to answer: `waiting` or `refused` to who asked."""
    next_step: str = ""
    needs_approval: bool = False
    """Nothing but a person's yes is missing."""


def due(policy: Policy, version: Version | None, request: Request, now: datetime) -> Decision:
    """Decide whether a new version is due; `version` is CURRENT's own record, None where there is none."""
    if request.now or request.force:
        return _approved(policy, request, _asked_for(policy, version, request, now))
    decision = _by_schedule(policy, version, now)
    if policy.pause:
        return Decision(
            begin=False, reason=PAUSED, at=decision.at, blocked=decision.begin or decision.blocked
        )
    return _approved(policy, request, decision)


def _approved(policy: Policy, request: Request, decision: Decision) -> Decision:
    """The same, where nobody has to be asked or somebody said yes."""
    if policy.approval is None or not decision.begin or request.revoke:
        return decision
    if request.approval is None:
        by_hand = request.now or request.force
        outcome, next_step = ("refused", ASK) if by_hand else ("waiting", ASKED_BY_ITSELF)
        held = _held(f"{decision.reason}; {UNAPPROVED}", outcome, next_step, None)
        return replace(held, needs_approval=True)
    why = why_not(policy.approval, request.approval, asked_by=request.by)
    if why:
        return _held(why, "refused", ASK, None)
    return replace(decision, reason=f"{decision.reason}; approved by {request.approval.by}")


def _asked_for(policy: Policy, version: Version | None, request: Request, now: datetime) -> Decision:
    since = max(request.at, request.not_before or request.at)
    if version is not None and version.epoch != UNMANAGED_EPOCH and version.written >= since:
        return Decision(begin=False, reason="already rotated since it was asked for")
    if since > now and request.not_before is not None:
        return _held(f"asked for not before {_written(since)}", "waiting", "", since)
    if policy.pause and not request.force:
        return _held(PAUSED, "refused", UNPAUSE, None)
    if policy.window is not None and not request.force and not is_open(policy.window, now):
        opens = next_opening(policy.window, now).opens
        return _held(f"outside its window, which opens {_written(opens)}", "refused", NOT_OPEN, opens)
    return Decision(begin=True, reason=request.reason or f"asked for by {request.by}", at=since)


def _held(reason: str, outcome: str, next_step: str, at: datetime | None) -> Decision:
    return Decision(begin=False, reason=reason, at=at, blocked=True, outcome=outcome, next_step=next_step)


def _by_schedule(policy: Policy, version: Version | None, now: datetime) -> Decision:
    if not policy.is_scheduled:
        return Decision(begin=False, reason=f"rotated only when asked (policy {policy.name})")
    if version is None or (version.epoch == UNMANAGED_EPOCH and policy.cron is None):
        return _when_open(policy, Decision(begin=True, reason="never rotated", at=now), now)
    at = falls_due(policy, version.written)
    if at is None or at > now:
        return Decision(begin=False, reason=f"due {_written(at)}" if at else "never due", at=at)
    return _when_open(policy, Decision(begin=True, reason=_why(policy, version, at, now), at=at), now)


def _when_open(policy: Policy, decision: Decision, now: datetime) -> Decision:
    """The same inside the window; outside of it, it waits, or catches up."""
    if policy.window is None or is_open(policy.window, now):
        return decision
    missed = decision.at is not None and decision.at < now
    if missed and policy.catch_up is CatchUp.AT_ONCE:
        closed = last_opening(policy.window, now).closes
        return replace(decision, reason=f"{decision.reason}; its window closed {_written(closed)}, missed")
    opens = next_opening(policy.window, now).opens
    reason = (
        f"{decision.reason}; {'missed its window, which' if missed else 'its window'} opens {_written(opens)}"
    )
    return Decision(begin=False, reason=reason, at=opens, blocked=True)


def _why(policy: Policy, version: Version, at: datetime, now: datetime) -> str:
    if policy.max_age is None:
        return f"due since {_written(at)} by cron {policy.cron}"
    limit = version.written + policy.max_age
    said = f"older than {write_duration(policy.max_age)}"
    return said if limit <= now else f"{said} from {_written(limit)}"


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
