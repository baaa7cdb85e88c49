"""How a task ends other than well, from wherever the installed Airflow has it."""

from __future__ import annotations

try:
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
except ImportError:
    from airflow.exceptions import (  # type: ignore[no-redef]  # the same two, where Airflow 3.1 has them
        AirflowFailException,
        AirflowSkipException,
    )

__all__ = ["AirflowFailException", "AirflowSkipException"]
