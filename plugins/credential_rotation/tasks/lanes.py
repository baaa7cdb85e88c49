"""Queue and pool of each credential's task: one mapped task for every pair that the inventory names.

All instances of a mapped task share one queue and one pool, and Airflow maps over nothing but what a task
returns. So each pair, a lane, has a mapped task of its own, and a small task that returns its names.

Rules this file keeps:
- Where nobody names a queue or a pool, the DAG is as if there were none.
- A broken inventory never breaks the DAG.
- A task that runs has its own lane, whatever the inventory says by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow.sdk import get_current_context, get_parsing_context, task

from credential_rotation.errors import BadInput
from credential_rotation.inventory.kept import lanes_by_engine
from credential_rotation.settings import read_settings
from credential_rotation.tasks.handed_on import shares_of
from credential_rotation.tasks.lane_ids import AT_ONCE, HAND_OUT, in_lane, lane_id, lane_of
from credential_rotation.tasks.mapped import KILLED_TASKS, SOON


@dataclass(frozen=True, slots=True)
class Lane:
    """A queue and pool that tasks of some credentials run in."""

    id: str
    where: Mapping[str, str] = field(default_factory=dict)
    """`queue` and `pool`, as far as they are named."""


def lanes_of(engines: Sequence[str], environ: Mapping[str, str]) -> tuple[Lane, ...]:
    """Of all good entries of these engines, by id. A task's own process has its own lane alone."""
    running = get_parsing_context().task_id
    if running is not None:
        lane = lane_of(running)
        return (Lane(lane),) if lane else ()
    try:
        named = lanes_by_engine(read_settings(environ).include)
    except BadInput:
        return ()
    pairs = {(queue, pool) for engine in engines for queue, pool in named.get(engine, ())}
    lanes = [Lane(lane_id(*pair), _where(*pair)) for pair in pairs]
    return tuple(sorted(lanes, key=lambda lane: lane.id))


def _where(queue: str | None, pool: str | None) -> dict[str, str]:
    return {what: name for what, name in (("queue", queue), ("pool", pool)) if name}


def at_once(usual: int, lanes: Sequence[Lane]) -> int:
    """How many runs of a DAG there may be at a time."""
    return max(usual, AT_ONCE) if lanes else usual


def one_each(worker: Any, plan: Any, lanes: Sequence[Lane]) -> list[Any]:  # noqa: ANN401 - Airflow's own
    """A task of `mapped` over a plan, in each lane."""

    def over(names: Any, **own: Any) -> Any:  # noqa: ANN401 - as above
        return worker.override(**own).expand(name=names)

    return in_each_lane(over, plan, worker.function.__name__, lanes)


def in_each_lane(
    over: Callable[..., Any],
    plan: Any,  # noqa: ANN401 - Airflow's own
    worker: str,
    lanes: Sequence[Lane],
) -> list[Any]:
    """The mapped tasks of a plan: `over` makes one, from what returns its names and from what is its own."""
    made = [over(plan, task_id=worker)]
    for lane in lanes:
        names = hand_out.override(task_id=in_lane(HAND_OUT, lane.id))(plan.operator.task_id)
        plan >> names
        made.append(over(names, task_id=in_lane(worker, lane.id), **lane.where))
    return made


@task(retries=KILLED_TASKS, retry_delay=SOON)
def hand_out(planner: str) -> list[str]:
    """Those names of the plan whose tasks run in this lane."""
    ti = get_current_context()["ti"]
    shares = shares_of(ti, [planner])
    return list(shares.names.get(lane_of(ti.task_id), ())) if shares else []
