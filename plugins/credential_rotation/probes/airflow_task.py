"""Whether this is a task of Airflow: only there can be seen what tasks get, and how DAGs fare."""

from __future__ import annotations

OUTSIDE = "can be asked only by a task of Airflow, and this is none; the DAG verify_credentials asks it"


def is_in_a_task() -> bool:
    """Whether a task of Airflow runs this code."""
    try:
        from airflow.sdk import get_current_context  # noqa: PLC0415 - the command line does without Airflow
    except ImportError:
        return False
    try:
        get_current_context()
    except RuntimeError:
        return False
    return True
