"""Who asked for a run, as Airflow's login tells it.

Rules this file keeps:
- A run is scheduled or somebody's: nothing that a form says changes who asked.
- One that another DAG made has the name of who triggered that DAG: they did not ask for this themselves.
"""

from __future__ import annotations

from typing import Any

FROM_ANOTHER_DAG = "operator_triggered"
"""Airflow's word for it, since 3.3."""
_NOBODY = "Airflow's API"


def asker(run: Any) -> str | None:  # noqa: ANN401 - Airflow's own
    """The person; None for a scheduled run."""
    return None if run.run_type == "scheduled" else _named(run.triggering_user_name, run.run_type)


def _named(user: str | None, run_type: str) -> str:
    if run_type != FROM_ANOTHER_DAG:
        return user or _NOBODY
    return f"{user}, by another DAG" if user else "another DAG"
