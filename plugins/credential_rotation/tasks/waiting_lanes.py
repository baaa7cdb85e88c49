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
_ASKED_AT_ONCE = 20
"""Lanes: their tasks are asked for in an address, which not every proxy takes at any length."""


def tasks_that_wait(ti: Any, dags: Sequence[str], credentials: Iterable[Credential]) -> Iterator[Finding]:  # noqa: ANN401 - Airflow's
    """One for each DAG and lane; what could not be asked is one too, and keeps no other from being told."""
    lanes = {lane_id(one.queue, one.pool): one for one in credentials if one.queue or one.pool}
    for dag in dags:
        try:
            counted = _counted(ti, dag, list(lanes))
        except Exception as wrong:  # noqa: BLE001 - not part of Airflow's promises
            yield Finding(
                "", f"whether tasks of {dag} wait for a pool could not be asked: {type(wrong).__name__}"
            )
            continue
        for lane, count in counted.items():
            where = in_words(lanes[lane].queue, lanes[lane].pool)
            yield Finding(
                "",
                f"tasks of {dag} that wait to begin in {where}: {count}. Has Airflow this pool, and "
                "free slots in it (Admin, Pools)?",
            )


def _counted(ti: Any, dag: str, lanes: Sequence[str]) -> dict[str, int]:  # noqa: ANN401 - as above
    """Tasks that wait, by lane; lanes without any are left out."""

    def waiting(among: Sequence[str]) -> int:
        ids = [in_lane(worker, lane) for worker in _WORKERS for lane in among]
        found: int = ti.get_ti_count(dag_id=dag, task_ids=ids, states=[BEGINS_NOT])
        return found

    parts = (lanes[at : at + _ASKED_AT_ONCE] for at in range(0, len(lanes), _ASKED_AT_ONCE))
    counts = {lane: waiting([lane]) for part in parts if waiting(part) for lane in part}
    return {lane: count for lane, count in counts.items() if count}
