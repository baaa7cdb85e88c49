"""One credential of a run of the rotating DAGs, as the run was asked for it.

Rules this file keeps:
- A dry run changes nothing, whatever else was asked for.
- The brake holds back what would begin a new version, but for compromise mode: each minute that a value lives
  on which may be in wrong hands is worse than one more failure.
- What a person wants now waits in the task: the next tick would not know of their wish.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from credential_rotation.attempt.persevere import wait_out
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from credential_rotation.tasks.trigger_form import Wish
from credential_rotation.wiring import Deployment

log = logging.getLogger(__name__)

A_LITTLE = timedelta(minutes=2)
"""Longer than settling: an attempt that waits for it may begin."""


def rotate_by_wish(
    deployment: Deployment, credential: Credential, wish: Wish, brake: Callable[[], str | None]
) -> Outcome:
    """What became of it; `brake` says why nothing new may begin in this run any more."""
    if wish.dry_run:
        return deployment.foresee(credential, wish.request)
    pulled = None if wish.request.revoke else brake()
    if pulled is not None:
        return held_back(deployment, credential, pulled)
    if not wish.request.now:
        return deployment.rotate(credential, wish.request)
    return rotate_in_turn(deployment, credential, wish.request)


def held_back(deployment: Deployment, credential: Credential, pulled: str) -> Outcome:
    """What became of it where the brake is pulled: repaired, and nothing new begun."""
    repaired = deployment.rotate(credential, None)
    is_quiet = repaired.is_done and repaired.outcome != "revoked"
    return replace(repaired, outcome="waiting", reason=pulled) if is_quiet else repaired


def rotate_in_turn(deployment: Deployment, credential: Credential, request: Request) -> Outcome:
    """What became of it; the task waits for its turn, because no later run would know of the request."""
    return wait_out(
        lambda: deployment.rotate(credential, request),
        clock=deployment.clock,
        patience=deployment.settings.settle + A_LITTLE,
        note=lambda outcome: log.warning("%s: %s; this task waits", outcome.outcome, outcome.reason),
    )
