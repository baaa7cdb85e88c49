"""What a task knows of its run: who asked for what, its deployment, and Airflow's words for an end.

Rules this file keeps:
- Nothing configured is a skip that says what to fill in; anything half configured is red.
- A planned credential has an outcome also where its entry could not be read any more.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from airflow.sdk import Context

from bitwarden_vault.nouns import Caller
from credential_rotation.errors import NotConfigured, RotationError
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.state.history import Asked, keep_outcome, version_made
from credential_rotation.tasks.airflow_ends import AirflowFailException, AirflowSkipException
from credential_rotation.tasks.asker import asker
from credential_rotation.tasks.asset_events import emit
from credential_rotation.tasks.handed_on import LEFT_AT, OUTCOME, PLACE
from credential_rotation.tasks.metrics import tell_outcome
from credential_rotation.tasks.report import TROUBLE, UNCONFIGURED
from credential_rotation.tasks.trigger_form import MOST_REASON, Wish, is_compromise, is_dry_run, wish_of
from credential_rotation.wiring import Deployment, now, open_deployment

log = logging.getLogger(__name__)


def the_wish(context: Context) -> Wish:
    """What this run was asked for. Raises: BadInput."""
    run = context["dag_run"]
    return wish_of(run.conf or {}, context["params"], at=run.run_after, by=asker(run))


def asked_in(context: Context) -> Asked:
    """The same, as history keeps it."""
    ti, why = context["ti"], context["params"].get("reason")
    return Asked(
        by=asker(context["dag_run"]) or "schedule",
        why=why[:MOST_REASON] if isinstance(why, str) else None,
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=ti.map_index if ti.map_index is not None else -1,
        try_number=ti.try_number,
        log_url=ti.log_url,
        compromise=is_compromise(context["params"]),
    )


def hand_on(  # noqa: PLR0913 - each by its name
    context: Context,
    credential: Credential,
    outcome: Outcome,
    asked: Asked,
    *,
    now: datetime,
    more: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Keep an outcome for those who look later, count it, and leave it for the report; what was left.

    What a dry run found is only left: it is no attempt.
    """
    if not is_dry_run(context["params"]):
        keep_outcome(os.environ, credential, outcome, asked, now=now)
        tell_outcome(outcome)
    made = version_made(credential, outcome)
    if outcome.act_by:
        made["act_by"] = outcome.act_by.isoformat()
    return _left_for_report(context, outcome, {**made, **(more or {})})


def end_with(context: Context, outcome: Outcome) -> None:
    """As the grid shows it: green, or a skip where the next tick goes on, or red with what to do next."""
    if outcome.is_done:
        log.info("%s: %s", outcome.outcome, outcome.reason)
        emit(context, outcome)
        return
    text = f"{outcome.outcome}: {outcome.reason}. {outcome.next_step}"
    is_tick = context["dag_run"].run_type == "scheduled"
    raise AirflowSkipException(text) if outcome.heals_by_itself and is_tick else AirflowFailException(text)


def deployment_of(context: Context) -> Deployment:
    """Opened in this task's name. Raises: BadInput."""
    ti = context["ti"]
    caller = Caller(dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, try_number=ti.try_number)
    return open_deployment(os.environ, caller)


def owners() -> dict[str, str]:
    """Who owns what; nobody where the inventory cannot be read."""
    try:
        inventory = open_deployment(os.environ).inventory()
    except RotationError:
        return {}
    return {one.name: one.owner for one in inventory.credentials}


@contextmanager
def airflow_words(context: Context) -> Iterator[None]:
    """A rotation's errors as Airflow's: nothing configured is a skip, all else is red."""
    try:
        yield
    except NotConfigured as nothing:
        log.warning("%s. %s", nothing.what, nothing.next_step)
        context["ti"].xcom_push(key=UNCONFIGURED, value=True)
        raise AirflowSkipException(nothing.what) from None
    except RotationError as error:
        text = f"{error.what}. {error.next_step}"
        context["ti"].xcom_push(key=TROUBLE, value=text)
        raise AirflowFailException(text) from None


@contextmanager
def words_about(
    context: Context, name: str, tell: Callable[[dict[str, Any]], None] = lambda _: None
) -> Iterator[None]:
    """The same where one planned credential is concerned: what keeps it from being looked at is its outcome.

    `tell`: the report of this run may come hours later.
    """
    try:
        yield
    except RotationError as error:
        reason = error.what.removeprefix(f"{name}: ")
        outcome = Outcome(name, "", "", error.outcome, None, reason, error.next_step)
        told = _left_for_report(context, outcome)
        tell(told)
        raise AirflowFailException(f"{error.what}. {error.next_step}") from None


def _left_for_report(
    context: Context, outcome: Outcome, more: Mapping[str, object] | None = None
) -> dict[str, Any]:
    ti = context["ti"]
    left = {"log_url": ti.log_url, PLACE: ti.map_index, LEFT_AT: now().isoformat()}
    told = {**outcome.as_dict(), **left, **(more or {})}
    ti.xcom_push(key=OUTCOME, value=told)
    return told
