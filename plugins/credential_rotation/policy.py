"""When a credential is due: pure decisions, each with its reason.

Rules this file keeps:
- No I/O and no clock: everything that matters comes in.
- "Now" means older than the request, so that a retried or cleared run does not rotate twice.
- `pause` stops what begins new versions, never what finishes or repairs one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from credential_rotation.durations import write_duration
from credential_rotation.errors import BadInput
from credential_rotation.model import UNMANAGED_EPOCH, Policy


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
    """Also ignores pause, and lets an admin set a password where no stored value works."""
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.force and not (self.reason or "").strip():
            raise BadInput(
                "a forced rotation needs a reason, and none was given",
                next_step="Say why: it is kept as evidence. (`--reason`, or the form's field Reason.)",
            )


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to begin a new version, and why or why not."""

    begin: bool
    reason: str
    at: datetime | None = None
    """When it is due, where that is known."""


def due(policy: Policy, version: Version | None, request: Request, now: datetime) -> Decision:
    """Decide whether a new version is due; `version` is CURRENT's own record, None where there is none."""
    if policy.pause and not request.force:
        return Decision(begin=False, reason="paused by its policy")
    if request.now or request.force:
        return _asked_for(version, request)
    if policy.max_age is None:
        return Decision(begin=False, reason="rotated only when asked (policy manual)")
    if version is None or version.epoch == UNMANAGED_EPOCH:
        return Decision(begin=True, reason="never rotated", at=now)
    at = version.written + policy.max_age
    if at <= now:
        return Decision(begin=True, reason=f"older than {write_duration(policy.max_age)}", at=at)
    return Decision(begin=False, reason=f"due {at:%Y-%m-%d %H:%M} UTC", at=at)


def _asked_for(version: Version | None, request: Request) -> Decision:
    if version is not None and version.epoch != UNMANAGED_EPOCH and version.written >= request.at:
        return Decision(begin=False, reason="already rotated since it was asked for")
    return Decision(begin=True, reason=request.reason or f"asked for by {request.by}", at=request.at)
