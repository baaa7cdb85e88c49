"""What the tasks of a run hand on to those after them: who has which part of the plan, and what came of it.

Rules this file keeps:
- XCom holds names and outcomes, never a value.
- Who has which part is the planner's word: the inventory may say something else by the time of the report.
- Where no credential has a lane, nothing is left but the plan itself.
- A run that is cleared is planned anew, and Airflow keeps what tasks left that do not begin again: the plan
  has no place for them any more, or their names were not handed out. That is not of this plan.
- All of a lane is asked for at once: Airflow would ask once for each chosen place.
- What cannot be used is nobody's outcome: its credential has none, and what is missing in it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from credential_rotation.tasks.lane_ids import HAND_OUT, NO_LANE, in_lane
from credential_rotation.tasks.outcome_form import Kinds, lack_of

OUTCOME = "outcome"
SHARES = "shares"
PLACE = "map_index"
"""Whose task left an outcome: the entry of its lane's names at this place."""
LEFT_AT = "left_at"
"""When: lanes are not in step with each other."""
_OF_A_PLANNER: Kinds = {"log_url": (str,)}
_OF_A_TASK: Kinds = {**_OF_A_PLANNER, PLACE: (int,)}
_DEAD = ["failed", "upstream_failed"]
"""A task that gave nobody anything. One that is gone from the DAG meanwhile may have."""
_NAMED = 5


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


@dataclass(frozen=True, slots=True)
class Left:
    """What the tasks of a plan left."""

    outcomes: tuple[Any, ...] = ()
    unusable: tuple[str, ...] = ()
    """What is wrong with what nobody can use, and whose it is."""

    @property
    def trouble(self) -> str:
        """The same in words; empty where all can be used."""
        more = len(self.unusable) - _NAMED
        named = "; ".join((*self.unusable[:_NAMED], *([f"and {more} more"] if more > 0 else ())))
        return f"{named}; did other code begin this run?" if named else ""


def shares_of(ti: Any, planners: Sequence[str]) -> Shares | None:  # noqa: ANN401 - as above
    """What the planner among these tasks has left; None: no plan was made that can be read."""
    plan = next((one for one in ti.xcom_pull(task_ids=planners) or () if _are_names(one)), None)
    if plan is None:
        return None
    left = next((one for one in ti.xcom_pull(task_ids=planners, key=SHARES) or () if one), None)
    return Shares({NO_LANE: plan}) if left is None else _read_shares(left)


def _read_shares(left: object) -> Shares | None:
    names, left_out = (left.get("names"), left.get("left_out")) if isinstance(left, Mapping) else (None, None)
    if not isinstance(names, Mapping) or not all(map(_are_names, names.values())):
        return None
    if not isinstance(left_out, list) or any(lack_of(one, _OF_A_PLANNER) for one in left_out):
        return None
    return Shares(names, tuple(left_out))


def _are_names(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)


def left_in(ti: Any, worker: str, shares: Shares) -> Left:  # noqa: ANN401 - as above
    """What the tasks of this plan left, lane by lane."""
    whole: list[Any] = []
    broken: list[tuple[object, str]] = []
    for lane, names in shares.names.items():
        for one in _outcomes_in(ti, worker, lane) if names else ():
            lack = "" if one is None else lack_of(one, _OF_A_TASK)
            if lack:
                broken.append((one.get("name") if isinstance(one, Mapping) else None, lack))
            elif one is not None and one["name"] in names[one[PLACE] :][:1]:
                whole.append(one)
    missing = frozenset(shares.planned) - {one["name"] for one in (*whole, *shares.left_out)}
    return Left(tuple(whole), tuple(dict.fromkeys(_complaints(broken, missing))))


def _outcomes_in(ti: Any, worker: str, lane: str) -> Iterable[Any]:  # noqa: ANN401 - as above
    """All that tasks of a lane left; nothing where its hand-out died, so that none of them began."""
    if lane != NO_LANE:
        ids = [in_lane(HAND_OUT, lane)]
        if ti.get_ti_count(dag_id=ti.dag_id, task_ids=ids, run_ids=[ti.run_id], states=_DEAD):
            return ()
    return ti.xcom_pull(task_ids=[in_lane(worker, lane)], key=OUTCOME) or ()


def _complaints(broken: Iterable[tuple[object, str]], missing: frozenset[str]) -> Iterator[str]:
    """Of those that this plan has no better word of."""
    for name, lack in broken:
        if not isinstance(name, str):
            yield f"an outcome cannot be used: {lack}"
        elif name in missing:
            yield f"the outcome of {name} cannot be used: {lack}"
