"""A second person's yes: who may give it, and to whom it counts.

Rules this file keeps:
- Nobody approves their own request; names are compared as people read them, whatever their case.
- Who gives an answer is what Airflow's login says, never what a form or a shell claims.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from credential_rotation.model import ApprovalRule

WITH_APPROVAL = "rotate_with_approval"
"""The DAG that asks."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's yes."""

    by: str
    """The user's name, as Airflow shows it."""
    user_id: str
    at: datetime


def why_not(rule: ApprovalRule, approval: Approval, *, asked_by: str) -> str:
    """Why this yes does not count; empty where it does."""
    names = {approval.by.casefold(), approval.user_id.casefold()}
    if asked_by.casefold() in names:
        return f"{approval.by} asked for it and approved it too; somebody else has to"
    allowed = {one.casefold() for one in rule.by}
    if allowed and not allowed & names:
        return f"{approval.by} approved it and may not; its policy names {', '.join(rule.by)}"
    return ""
