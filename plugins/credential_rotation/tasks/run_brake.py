"""Whether a run has gone wrong so often that nothing new may begin in it any more.

Rules this file keeps:
- All outcomes of a run are much to read for each of its tasks, so they are not where too few tasks are red;
  nor are the limits where none is.
- Where enough are, and what they left cannot be read, nothing new begins: not to know is no reason to go on.
- "In a row" is by time: lanes are not in step, and whoever waits for a person ends long after others.
"""

from __future__ import annotations

from airflow.sdk import Context

from credential_rotation.inventory.inventory import load_limits
from credential_rotation.planning.brake import brake_pulled
from credential_rotation.tasks.handed_on import LEFT_AT, left_in, shares_of
from credential_rotation.tasks.lane_ids import lane_of, without_lane
from credential_rotation.wiring import Deployment


def why_held(context: Context, deployment: Deployment) -> str | None:
    """Why nothing new may begin in this run any more: too many before it failed in a row. None: it may."""
    ti = context["ti"]
    red = ti.get_ti_count(dag_id=ti.dag_id, run_ids=[ti.run_id], states=["failed"])
    if not red or red < (limit := load_limits(deployment.settings.include).stop_after_failures):
        return None
    before = ti.task.get_flat_relative_ids(upstream=True)
    shares = shares_of(ti, sorted(one for one in before if not lane_of(one)))
    if shares is None:
        return _unread(red, "what its plan handed to whom cannot be read")
    is_tick = context["dag_run"].run_type == "scheduled"
    left = left_in(ti, without_lane(ti.task_id), shares, is_tick=is_tick)
    pulled = brake_pulled(sorted(left.outcomes, key=lambda one: str(one.get(LEFT_AT, ""))), limit)
    return pulled or (_unread(red, "what some of them left cannot be used") if left.unusable else None)


def _unread(red: int, what: str) -> str:
    return f"brake: {red} tasks of this run failed, and {what}; nothing new begins in this run"
