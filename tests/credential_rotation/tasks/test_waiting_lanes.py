"""What the digest says of tasks whose pool has no room for them, or is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from simulators.scene import ETL

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

DAGS = ("rotate_database_credentials", "retire_credentials")


class Asked:
    """Airflow, in which `waiting` tasks of an id wait to begin, by DAG and id."""

    def __init__(self, waiting: dict[tuple[str, str], int]) -> None:
        self.waiting, self.times = waiting, 0

    def get_ti_count(self, dag_id: str, task_ids: Sequence[str], states: Sequence[str]) -> int:
        assert list(states) == ["scheduled"]
        self.times += 1
        return sum(self.waiting.get((dag_id, task), 0) for task in task_ids)


def told(asked: Asked, *entries: Any) -> list[str]:  # noqa: ANN401 - credentials
    from credential_rotation.tasks.waiting_lanes import tasks_that_wait  # noqa: PLC0415 - after Airflow's home is set

    return [one.what for one in tasks_that_wait(asked, DAGS, entries)]


def test_who_waits_is_told_by_dag_and_pool() -> None:
    """And what to look at."""
    asked = Asked({("retire_credentials", "retire.pool-db"): 2})
    [said] = told(asked, ETL, replace(ETL, pool="db"), replace(ETL, pool="db"), replace(ETL, queue="eu"))
    assert said.startswith("tasks of retire_credentials that wait to begin in pool 'db': 2. Has Airflow this")


def test_where_only_a_queue_is_named_they_are_told_too() -> None:
    """They share the pool that all have who name none."""
    asked = Asked({("retire_credentials", "retire.queue-eu"): 3})
    [said] = told(asked, ETL, replace(ETL, queue="eu"))
    assert said.startswith("tasks of retire_credentials that wait to begin in queue 'eu': 3. Has Airflow")


def test_a_quiet_day_asks_few_times() -> None:
    """Once for each DAG and twenty lanes: what is asked for is in an address, which has an end."""
    asked = Asked({("retire_credentials", "retire"): 9})
    assert told(asked, *(replace(ETL, pool=f"pool{number}") for number in range(50))) == []
    assert asked.times == 3 * len(DAGS)


def test_what_airflow_does_not_tell_keeps_nothing_else_from_being_told() -> None:
    """One DAG's answer is missing, and the digest is made."""

    class Refusing(Asked):
        def get_ti_count(self, dag_id: str, task_ids: Sequence[str], states: Sequence[str]) -> int:
            if dag_id == DAGS[0]:
                raise ConnectionError(dag_id)
            return super().get_ti_count(dag_id, task_ids, states)

    asked = Refusing({("retire_credentials", "retire.pool-db"): 2})
    first, second = told(asked, replace(ETL, pool="db"))
    assert first == f"whether tasks of {DAGS[0]} wait for a pool could not be asked: ConnectionError"
    assert second.startswith("tasks of retire_credentials that wait to begin")


def test_without_lanes_airflow_is_asked_nothing() -> None:
    """As before there were any."""
    asked = Asked({})
    assert (told(asked, ETL), asked.times) == ([], 0)
