"""Tasks that wait for their pool: where it does not exist they wait for ever, and Airflow tells nobody.

Rules this file keeps:
- Where nobody names a queue or a pool, Airflow is asked nothing.
- It is a look at one moment: a pool that is only full at this hour looks the same, and the words say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from credential_rotation.model import Credential
from credential_rotation.planning.watchdog import Finding
from credential_rotation.tasks.lane_ids import in_lane, in_words, lane_id
from credential_rotation.tasks.share_out import BEGINS_NOT

_WORKERS = ("rotate", "retire", "verify")


def tasks_that_wait(ti: Any, dags: Sequence[str], credentials: Iterable[Credential]) -> Iterator[Finding]:  # noqa: ANN401 - Airflow's
    """One for each DAG and lane."""
    lanes = {lane_id(one.queue, one.pool): one for one in credentials if one.queue or one.pool}

    def waiting(dag: str, *among: str) -> int:
        ids = [in_lane(worker, lane) for worker in _WORKERS for lane in among]
        found: int = ti.get_ti_count(dag_id=dag, task_ids=ids, states=[BEGINS_NOT])
        return found

    for dag in dags if lanes else ():
        if waiting(dag, *lanes):
            for lane, one in lanes.items():
                count = waiting(dag, lane)
                if count:
                    where = in_words(one.queue, one.pool)
                    yield Finding(
                        "",
                        f"tasks of {dag} that wait to begin in {where}: {count}. Has Airflow this pool, and "
                        "free slots in it (Admin, Pools)?",
                    )
