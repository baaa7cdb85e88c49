"""What the tasks of a run hand on to those after them: who has which part of the plan, and what came of it.

Rules this file keeps:
- XCom holds names and outcomes, never a value.
- Who has which part is the planner's word: the inventory may say something else by the time of the report.
- Where no credential has a lane, nothing is left but the plan itself.
- A run that is cleared is planned anew, and Airflow keeps what tasks left until they begin again. Who has no
  place in the plan any more never does, nor who was killed before: what those left is not of this plan.
- All of a lane is asked for at once: Airflow would ask once for each chosen place.
- What cannot be used is nobody's outcome: its credential has none, and what is missing in it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from credential_rotation.outcome import DONE, HEALS_BY_ITSELF
from credential_rotation.tasks.lane_ids import NO_LANE, in_lane
from credential_rotation.tasks.outcome_form import Kinds, lack_of

OUTCOME = "outcome"
SHARES = "shares"
PLACE = "map_index"
"""Whose task left an outcome: the entry of its lane's names at this place."""
LEFT_AT = "left_at"
"""When: lanes are not in step with each other."""
_OF_A_PLANNER: Kinds = {"log_url": (str,)}
_OF_A_TASK: Kinds = {**_OF_A_PLANNER, PLACE: (int,)}
IS_ANSWER = "is_answer"
"""A person's no, or nobody's word: told as an outcome, and no failure of the run."""
_NOT_BEGUN = (None, "scheduled", "queued", "upstream_failed")
_RED = "failed"
"""Airflow's words. One that is gone from the DAG meanwhile is neither: it may have begun, and ended well."""
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


def left_in(ti: Any, worker: str, shares: Shares, *, is_tick: bool) -> Left:  # noqa: ANN401 - as above
    """What the tasks of this plan left, lane by lane."""
    whole: list[Any] = []
    broken: list[tuple[object, str]] = []
    for lane, names in [(lane, names) for lane, names in shares.names.items() if names]:
        task = in_lane(worker, lane)
        states = states_of(ti, task)
        for one in ti.xcom_pull(task_ids=[task], key=OUTCOME) or ():
            lack = "" if one is None else lack_of(one, _OF_A_TASK)
            if lack:
                broken.append((one.get("name") if isinstance(one, Mapping) else None, lack))
            elif one is None or one["name"] not in names[one[PLACE] :][:1]:
                continue
            elif _is_of_now(one, states.get(f"{task}_{one[PLACE]}", ""), is_tick=is_tick):
                whole.append(one)
    missing = frozenset(shares.planned) - {one["name"] for one in (*whole, *shares.left_out)}
    return Left(tuple(whole), tuple(dict.fromkeys(_complaints(broken, missing))))


def has_died(ti: Any, task: str) -> bool:  # noqa: ANN401 - as above
    """Whether it failed, or never began again: a plan that it left is of another life."""
    return states_of(ti, task).get(task) in {_RED, "upstream_failed"}


def states_of(ti: Any, task: str) -> Mapping[str, str | None]:  # noqa: ANN401 - as above
    """How a task stands in this run, by its id, or that of each instance."""
    told = ti.get_task_states(dag_id=ti.dag_id, task_ids=[task], run_ids=[ti.run_id])
    states: Mapping[str, str | None] = told.get(ti.run_id, {})
    return states


def _is_of_now(one: Mapping[str, Any], state: str | None, *, is_tick: bool) -> bool:
    """Whether a task that stands so can have left this: it does just before its end, which tells the same."""
    ends_well = one["outcome"] in (DONE | HEALS_BY_ITSELF if is_tick else DONE) or bool(one.get(IS_ANSWER))
    return state not in _NOT_BEGUN and not (state == _RED and ends_well)


def _complaints(broken: Iterable[tuple[object, str]], missing: frozenset[str]) -> Iterator[str]:
    """Of those that this plan has no better word of."""
    for name, lack in broken:
        if not isinstance(name, str):
            yield f"an outcome cannot be used: {lack}"
        elif name in missing:
            yield f"the outcome of {name} cannot be used: {lack}"
