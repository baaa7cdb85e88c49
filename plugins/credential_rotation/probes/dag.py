"""A DAG: whether it ran well since CURRENT is what it is.

Rules this file keeps:
- Only a run that began after the value was stored speaks of it; of those that are over, the newest decides.
- What Airflow does not tell a task is unknown: it tells of runs with a logical date, which runs that an asset
  started do not have.
- A run that went well is as much proof as the DAG is a user: where the old value lives on, a DAG that reads a
  copy of its own goes on well until that value is ended. An `airflow_connection` beside it tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from credential_rotation.model import Probe
from credential_rotation.probes.airflow_task import OUTSIDE, is_in_a_task
from credential_rotation.probes.question import Question

MARGIN = timedelta(minutes=1)
"""From storing to the start of a run that counts: two clocks, and readers that keep a value for seconds."""
AHEAD = timedelta(days=366)
"""A logical date may lie in the future."""
NOT_FOUND = 404


class Run(Protocol):
    """What is looked at in a DAG run."""

    state: str
    start_date: datetime | None


def ask_dag(question: Question) -> Probe:
    """Whether this DAG's newest run since CURRENT was stored went well."""
    if not is_in_a_task():
        return question.unknown(OUTSIDE)
    dag_id = question.consumer.name
    try:
        runs = [_newest(dag_id, state, before=question.at + AHEAD) for state in ("success", "failed")]
    except Exception as wrong:  # noqa: BLE001 - not part of Airflow's promises; whatever it is, nothing was proved
        return question.unknown(f"Airflow does not tell a task of its runs ({type(wrong).__name__})")
    return judged(question, [run for run in runs if run is not None], hint=_hint(dag_id))


def judged(question: Question, runs: Iterable[Run], *, hint: str = "") -> Probe:
    """What these runs, which are over, say about CURRENT."""
    stored = question.current.revised
    since = [(run.start_date, run) for run in runs if run.start_date and run.start_date >= stored + MARGIN]
    if not since:
        return question.unknown(
            f"no run of it has begun and ended since CURRENT was stored ({stored:%Y-%m-%d %H:%M} UTC){hint}"
        )
    began, newest = max(since, key=lambda pair: pair[0])
    text = f"its run of {began:%Y-%m-%d %H:%M} UTC, begun after CURRENT was stored,"
    if newest.state == "success":
        return question.works(f"{text} ended well")
    return question.refused(f"{text} failed; see in its log whether this credential is why")


def _newest(dag_id: str, state: str, *, before: datetime) -> Run | None:
    """The DAG's newest run in this state, by logical date. Raises: anything."""
    # A task may ask this of its own DAG only by a method; the message that the method sends takes any DAG.
    from airflow.sdk.execution_time import task_runner  # noqa: PLC0415 - the command line does without
    from airflow.sdk.execution_time.comms import GetPreviousDagRun  # noqa: PLC0415 - as above

    told: Any = task_runner.SUPERVISOR_COMMS.send(
        GetPreviousDagRun(dag_id=dag_id, logical_date=before, state=state)
    )
    run: Run | None = told.dag_run
    return run


def _hint(dag_id: str) -> str:
    """Why there may be no runs; "" where Airflow does not tell (`get_dag` is younger than the rest)."""
    from airflow.sdk import get_current_context  # noqa: PLC0415 - as above

    ti: Any = get_current_context()["ti"]
    try:
        dag = ti.get_dag(dag_id)
    except Exception as wrong:  # noqa: BLE001 - a hint only
        return "; Airflow knows no DAG of this name" if _status(wrong) == NOT_FOUND else ""
    return "; it is paused" if dag.is_paused else ""


def _status(wrong: Exception) -> object:
    """What the api-server answered, as the supervisor hands it on."""
    detail = getattr(getattr(wrong, "error", None), "detail", None)
    return detail.get("status_code") if isinstance(detail, dict) else None
