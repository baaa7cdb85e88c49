"""Gives each planned credential to the task that runs in its queue and pool, as far as this run has one.

Rules this file keeps:
- A credential runs in its own lane or not at all: elsewhere its target may be out of reach.
- Whom no task of this run can be given waits for the next one, and the report says why.
- The schedule leaves a lane alone in which nothing begins, so that it holds up one run and not all. Who asks
  by hand may wait there, but not with the last run that the DAG may have: the schedule needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from airflow.sdk import Context

from credential_rotation.model import Credential
from credential_rotation.outcome import told
from credential_rotation.tasks.handed_on import Shares
from credential_rotation.tasks.lane_ids import AT_ONCE, HAND_OUT, NO_LANE, in_lane, in_words, lane_id
from credential_rotation.tasks.trigger_form import is_compromise

BEGINS_NOT = "scheduled"
"""Airflow's word for a task that could begin, had its pool room for it."""
NOT_READ_YET = "Nothing, if its entry was changed minutes ago: the next run has a task for it."
TRIGGER_AGAIN = "Trigger it again in a minute, if its entry was changed just now."
"""No later run knows what was asked for by hand."""
SEE_TO_POOL = "See whether Airflow has this pool, and free slots in it (Admin, Pools)"


def share_out(context: Context, entries: Iterable[Credential], names: Sequence[str]) -> list[str]:
    """The names in no lane, which the planner returns; what is in lanes is left for their tasks."""
    entry_of = {one.name: one for one in entries}
    shares: dict[str, list[str]] = {NO_LANE: []}
    for name in names:
        shares.setdefault(lane_id(entry_of[name].queue, entry_of[name].pool), []).append(name)
    if len(shares) == 1:
        return shares[NO_LANE]
    ti, left_out = context["ti"], []
    for lane in [one for one in shares if one != NO_LANE]:
        one = entry_of[shares[lane][0]]
        why = _why_not_now(context, lane, in_words(one.queue, one.pool))
        if why:
            reason, next_step = why
            rows = (told(entry_of[name], "waiting", reason, next_step=next_step) for name in shares[lane])
            left_out += [{**row.as_dict(), "log_url": ti.log_url} for row in rows]
            shares[lane] = []
    Shares(shares, tuple(left_out)).leave(ti)
    return shares[NO_LANE]


def _why_not_now(context: Context, lane: str, words: str) -> tuple[str, str] | None:
    """Reason and next step where no task of this run should have these; None where one has."""
    ti, is_tick = context["ti"], context["dag_run"].run_type == "scheduled"
    if not ti.get_ti_count(dag_id=ti.dag_id, task_ids=[in_lane(HAND_OUT, lane)], run_ids=[ti.run_id]):
        return (
            f"Airflow has not read yet that its entry names {words}",
            NOT_READ_YET if is_tick else TRIGGER_AGAIN,
        )
    workers = [in_lane(one, lane) for one in ti.task.downstream_task_ids]
    waiting = ti.get_ti_count(dag_id=ti.dag_id, task_ids=workers, states=[BEGINS_NOT])
    if waiting and (is_tick or (_is_the_last_run(ti) and not is_compromise(context["params"]))):
        next_step = SEE_TO_POOL if is_tick else f"{SEE_TO_POOL}, then trigger it again"
        return f"{waiting} of earlier runs still wait to begin in {words}", f"{next_step}."
    return None


def _is_the_last_run(ti: Any) -> bool:  # noqa: ANN401 - Airflow's
    """Whether its DAG may have no further run beside this one; a task does not see what lanes add to that."""
    running: int = ti.get_dr_count(dag_id=ti.dag_id, states=["running"])
    at_most: int = max(ti.task.dag.max_active_runs, AT_ONCE)
    return running >= at_most
