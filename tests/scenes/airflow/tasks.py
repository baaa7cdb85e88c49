"""A DAG's task run in this process, in the context that Airflow would give it, on a site's settings."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from bitwarden_vault.settings import PASSED_ON
from scenes.site.deployment import Site

SCHEDULED: Mapping[str, Any] = {"conf": {}, "run_type": "scheduled", "triggering_user_name": None}


@contextmanager
def as_task(
    site: Site,
    dag_id: str,
    task_id: str,
    run: Mapping[str, Any] = SCHEDULED,
    /,
    *,
    module: str = "mapped",
    **environ: str,
) -> Iterator[Any]:
    """Gives the task's module, which is imported once Airflow has a home; `run` as Airflow tells of it."""
    from airflow.sdk.execution_time.context import set_current_context  # noqa: PLC0415 - after Airflow's home

    found = import_module(f"credential_rotation.tasks.{module}")
    dag_run = SimpleNamespace(**{"run_after": datetime.now(timezone.utc), "clear_number": 0, **run})
    ti = SimpleNamespace(
        dag_id=dag_id,
        task_id=task_id,
        run_id="scheduled__1",
        map_index=-1,
        try_number=1,
        log_url="https://airflow.example/log",
        xcom_push=lambda **_: None,
        get_dag=lambda _: SimpleNamespace(is_paused=False),
    )
    context: Any = {"ti": ti, "run_id": ti.run_id, "dag_run": dag_run, "params": dag_run.conf}
    kept = {name: value for name, value in os.environ.items() if name not in PASSED_ON}  # one agent for all
    with (
        patch.dict("os.environ", {**kept, **site.environ, **environ}, clear=True),
        set_current_context(context),
    ):
        yield found
