"""What the tasks of a run hand on to those after them: who has which part of the plan, and what came of it.

Rules this file keeps:
- XCom holds names and outcomes, never a value.
- Who has which part is the planner's word: the inventory may say something else by the time of the report.
- Where no credential has a lane, nothing is left but the plan itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from credential_rotation.tasks.lane_ids import NO_LANE, in_lane

OUTCOME = "outcome"
SHARES = "shares"
PLACE = "map_index"
"""Whose task left an outcome: the entry of its lane's names at this place."""
LEFT_AT = "left_at"
"""When: lanes are not in step with each other."""


@dataclass(frozen=True, slots=True)
class Shares:
    """A plan, by lane."""

    names: Mapping[str, Sequence[str]]
    """Of each lane, in the order of its tasks."""
    left_out: tuple[Any, ...] = ()
    """Outcomes of those that no task of this run can be given."""

    @property
    def planned(self) -> tuple[str, ...]:
        """All names."""
        handed = (name for names in self.names.values() for name in names)
        return (*handed, *(one["name"] for one in self.left_out))

    def leave(self, ti: Any) -> None:  # noqa: ANN401 - Airflow's task instance
        """For those after the planner."""
        ti.xcom_push(key=SHARES, value={"names": dict(self.names), "left_out": list(self.left_out)})


def shares_of(ti: Any, planners: Sequence[str]) -> Shares | None:  # noqa: ANN401 - as above
    """What the planner among these tasks has left; None: no plan was made."""
    plans = ti.xcom_pull(task_ids=planners) or ()
    plan = next((one for one in plans if isinstance(one, list)), None)
    if plan is None:
        return None
    left = next((one for one in ti.xcom_pull(task_ids=planners, key=SHARES) or () if one), None)
    return Shares(left["names"], tuple(left["left_out"])) if left else Shares({NO_LANE: plan})


def outcomes_in(ti: Any, worker: str, shares: Shares) -> list[Any]:  # noqa: ANN401 - as above
    """What the tasks of this plan left, lane by lane."""
    return [
        one
        for lane, names in shares.names.items()
        if names
        for one in _of_plan(ti.xcom_pull(task_ids=[in_lane(worker, lane)], key=OUTCOME), names)
    ]


def _of_plan(left: Iterable[Any] | None, planned: Sequence[str]) -> list[Any]:
    """What the tasks of one lane left.

    A run that is cleared is planned anew, and Airflow keeps what tasks left that the new plan has no place
    for. It is all asked for at once: for chosen places Airflow would ask once for each.
    """
    return [one for one in left or () if one and [one["name"]] == planned[one[PLACE] :][:1]]
