"""Who is told to have asked for a run: on Slack, in history and in evidence alike."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from scenes.airflow.lanes import Kept, report_of, shared

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

RUNS: Mapping[str, tuple[str, str | None, str]] = {
    "the schedule": ("scheduled", None, "schedule"),
    "a person": ("manual", "kim", "kim"),
    "somebody whom Airflow does not name": ("manual", None, "Airflow's API"),
    "a DAG of which a person made a run": ("operator_triggered", "kim", "kim, by another DAG"),
    "a DAG by its schedule": ("operator_triggered", None, "another DAG"),
}
"""What Airflow calls the run, whom it names, and who has asked for it."""


@pytest.mark.parametrize(("run_type", "user", "by"), RUNS.values(), ids=RUNS)
def test_who_triggered_another_dag_is_not_told_to_have_asked_for_a_rotation(
    run_type: str, user: str | None, by: str
) -> None:
    """Airflow hands a user's name on to the runs that a DAG of theirs triggers."""
    from credential_rotation.tasks.run_context import asked_in  # noqa: PLC0415 - after Airflow's home is set

    run: Any = SimpleNamespace(run_type=run_type, triggering_user_name=user)
    context: Any = {"ti": Kept(), "dag_run": run, "params": {}}
    assert asked_in(context).by == by


def test_slack_names_the_same() -> None:
    """A revocation is told with who asked for it."""
    kept = Kept()
    shared(kept, ["etl"], run_type="manual")
    assert report_of(kept, run_type="operator_triggered").by == "kim, by another DAG"
    assert report_of(kept, run_type="manual").by == "kim"
