"""The tasks that the DAGs are made of: plan, one mapped task per credential, report.

Rules this file keeps:
- XCom holds names and outcomes, never a value.
- An orderly end that is not green is final for this run; only a task that was killed is tried again, and
  then finds what was done and goes on.
- Nothing configured is a skip that says what to fill in; anything half configured is red.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from airflow.sdk import Context, get_current_context, task

from bitwarden_vault.nouns import Caller
from credential_rotation.airflow_ends import AirflowFailException, AirflowSkipException
from credential_rotation.alerts.digest import digest_message
from credential_rotation.alerts.slack import NotSent, SlackSender
from credential_rotation.asset_events import ROTATED, emit
from credential_rotation.brake import brake_pulled
from credential_rotation.errors import BadInput, NotConfigured, RotationError
from credential_rotation.heartbeat import HEARTBEAT, beat
from credential_rotation.inventory import Inventory, load_limits
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.persevere import wait_out
from credential_rotation.policy import Request
from credential_rotation.report import DEPLOYMENT, OUTCOME, TROUBLE, Reported
from credential_rotation.trigger_form import Wish, wish_of
from credential_rotation.watchdog import Finding, expiry, findings
from credential_rotation.wiring import Deployment, open_deployment

log = logging.getLogger(__name__)

ROTATING = ("rotate_database_credentials", "rotate_cloud_credentials")
LONGEST = timedelta(minutes=45)
"""More than settle and Bitwarden's patience together."""
KILLED_TASKS = 1
"""Retries: orderly ends are final, so that only a task that was killed is tried again."""
SOON = timedelta(seconds=10)


@task(retries=KILLED_TASKS, retry_delay=SOON)
def plan_rotations(engines: Sequence[str]) -> list[str]:
    """Names of the credentials that this run has something to do for."""
    return _planned(engines, _due)


@task(retries=KILLED_TASKS, retry_delay=SOON)
def plan_retirements(engines: Sequence[str]) -> list[str]:
    """Names of the credentials where something is open; those chosen by hand in any case."""
    return _planned(engines, _open)


@task(retries=KILLED_TASKS, retry_delay=SOON)
def plan_verifications(engines: Sequence[str]) -> list[str]:
    """Names of all credentials, or of those chosen by hand."""

    def everything(_: Deployment, inventory: Inventory, chosen: list[str], wish: Wish) -> list[str]:
        if inventory.problems and not wish.names:
            context = get_current_context()
            texts = "; ".join(str(problem) for problem in inventory.problems)
            context["ti"].xcom_push(key=TROUBLE, value=f"entries that cannot be used: {texts}")
        return chosen

    return _planned(engines, everything)


@task(
    map_index_template="{{ credential }}",
    outlets=[ROTATED],
    execution_timeout=LONGEST,
    retries=KILLED_TASKS,
    retry_delay=SOON,
)
def rotate(name: str) -> None:
    """One attempt on one credential; what was asked for by hand waits for its turn."""

    def run(deployment: Deployment, credential: Credential, wish: Wish) -> Outcome:
        if wish.dry_run:
            return deployment.foresee(credential, wish.request)
        brake = _brake(deployment)
        if brake is not None:
            repaired = deployment.rotate(credential, None)
            return replace(repaired, outcome="waiting", reason=brake) if repaired.is_done else repaired
        if not wish.request.now:
            return deployment.rotate(credential, wish.request)
        return wait_out(
            lambda: deployment.rotate(credential, wish.request),
            clock=deployment.clock,
            patience=deployment.settings.settle + timedelta(minutes=2),
            note=lambda outcome: log.warning("%s: %s; this task waits", outcome.outcome, outcome.reason),
        )

    _on_one(name, run)


@task(
    map_index_template="{{ credential }}",
    outlets=[ROTATED],
    execution_timeout=LONGEST,
    retries=KILLED_TASKS,
    retry_delay=SOON,
)
def retire(name: str) -> None:
    """Repair, finish and retire one credential; nothing new is begun."""
    _on_one(name, lambda deployment, credential, _: deployment.rotate(credential, None))


@task(
    map_index_template="{{ credential }}", execution_timeout=LONGEST, retries=KILLED_TASKS, retry_delay=SOON
)
def verify(name: str) -> None:
    """Prove that one credential works everywhere; nothing is changed."""
    _on_one(name, lambda deployment, credential, _: deployment.verify(credential))


@task(trigger_rule="all_done", retries=KILLED_TASKS, retry_delay=SOON)
def report(worker: str, planner: str, work: str) -> None:
    """Tell Slack what needs a person; red unless everything that was planned happened and was proved."""
    reported = Reported.of_this_run(get_current_context(), worker=worker, planner=planner, work=work)
    if reported.is_unconfigured:
        raise AirflowSkipException("nothing is configured yet; the plan task's log says what to fill in")
    reported.tell_slack(os.environ, _owners())
    reported.log_all()
    if reported.complaint:
        raise AirflowFailException(reported.complaint)


@task(retries=KILLED_TASKS, retry_delay=SOON)
def watch() -> None:
    """Tell Slack what is overdue, stuck or paused; then tell the outside that this ran to its end."""
    context = get_current_context()
    with _airflow_words(context):
        deployment = _deployment(context)
        inventory = deployment.inventory()
        known = deployment.known(inventory.credentials)
        found = [Finding("", f"entry that cannot be used: {problem}") for problem in inventory.problems]
        found += findings(inventory.credentials, known, deployment.clock())
        found += expiry(deployment.settings.token_expires, deployment.clock())
        found += [
            Finding("", f"DAG {dag_id} is paused: nothing rotates by schedule") for dag_id in _paused(context)
        ]
        for finding in found:
            log.warning("%s %s", finding.name, finding.what)
        message = digest_message(found, deployment=os.environ.get(DEPLOYMENT), run=context["run_id"])
        sent = SlackSender.from_environment(os.environ).send(message) if message else None
        url = os.environ.get(HEARTBEAT, "").strip()
        trouble = beat(url) if url else ""
    if isinstance(sent, NotSent) and sent.is_configured:
        raise AirflowFailException(f"Slack was not told: {sent.why}")
    if trouble:
        raise AirflowFailException(f"the heartbeat was not heard: {trouble}")


# --- planning ------------------------------------------------------------------------------------------


Choose = Callable[[Deployment, Inventory, list[str], Wish], list[str]]


def _planned(engines: Sequence[str], choose: Choose) -> list[str]:
    context = get_current_context()
    with _airflow_words(context):
        deployment = _deployment(context)
        inventory = deployment.inventory()
        for problem in inventory.problems:
            log.error("not usable: %s", problem)
        of_engines = [one for one in inventory.credentials if one.engine in engines]
        names = choose(deployment, inventory, _chosen(of_engines, inventory, _wish(context)), _wish(context))
        log.info("planned: %s", ", ".join(names) or "nothing")
        return names


def _due(deployment: Deployment, inventory: Inventory, chosen: list[str], wish: Wish) -> list[str]:
    return chosen if wish.names else _with_work(deployment, inventory, chosen, wish.request)


def _open(deployment: Deployment, inventory: Inventory, chosen: list[str], wish: Wish) -> list[str]:
    return chosen if wish.names else _with_work(deployment, inventory, chosen, None)


def _with_work(
    deployment: Deployment, inventory: Inventory, chosen: list[str], begin: Request | None
) -> list[str]:
    outcomes = deployment.plan(inventory, begin, these=chosen)
    for outcome in outcomes:
        log.info("%s: %s, %s", outcome.name, outcome.outcome, outcome.reason)
    return [outcome.name for outcome in outcomes if outcome.outcome == "planned"]


def _chosen(of_engines: Sequence[Credential], inventory: Inventory, wish: Wish) -> list[str]:
    """The names that the run is about: those chosen, or all. Raises: BadInput (with all that are wrong)."""
    names = [one.name for one in of_engines]
    unknown = [name for name in wish.names if name not in names]
    if unknown:
        known = ", ".join(sorted(names)) or "none"
        about = [str(problem) for problem in inventory.problems if problem.name in unknown]
        raise BadInput(
            f"no such credential for this DAG: {', '.join(unknown)[:500]}"
            + (f" ({'; '.join(about)})" if about else ""),
            next_step=f"Choose from: {known[:1000]}.",
        )
    return list(wish.names) or names


# --- one credential ------------------------------------------------------------------------------------


def _on_one(name: str, run: Callable[[Deployment, Credential, Wish], Outcome]) -> None:
    context = get_current_context()
    context["credential"] = name  # type: ignore[typeddict-unknown-key]  # for map_index_template
    with _airflow_words(context):
        deployment = _deployment(context)
        outcome = run(deployment, deployment.entry(name), _wish(context))
    ti = context["ti"]
    act_by = outcome.act_by.isoformat() if outcome.act_by else None
    ti.xcom_push(key=OUTCOME, value={**outcome.as_dict(), "log_url": ti.log_url, "act_by": act_by})
    if outcome.is_done:
        log.info("%s: %s", outcome.outcome, outcome.reason)
        emit(context, outcome)
        return
    text = f"{outcome.outcome}: {outcome.reason}. {outcome.next_step}"
    is_tick = context["dag_run"].run_type == "scheduled"
    raise AirflowSkipException(text) if outcome.heals_by_itself and is_tick else AirflowFailException(text)


def _brake(deployment: Deployment) -> str | None:
    """Why nothing new may begin in this run any more: too many before it failed in a row."""
    context = get_current_context()
    outcomes = context["ti"].xcom_pull(task_ids=[context["ti"].task_id], key=OUTCOME) or []
    limits = load_limits(deployment.settings.include)
    return brake_pulled([one for one in outcomes if one], limits.stop_after_failures)


def _wish(context: Context) -> Wish:
    run = context["dag_run"]
    by = None if run.run_type == "scheduled" else run.triggering_user_name or "Airflow's API"
    return wish_of(run.conf or {}, context["params"], at=run.run_after, by=by)


def _deployment(context: Context) -> Deployment:
    ti = context["ti"]
    caller = Caller(dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, try_number=ti.try_number)
    return open_deployment(os.environ, caller)


def _owners() -> dict[str, str]:
    try:
        inventory = open_deployment(os.environ).inventory()
    except RotationError:
        return {}
    return {one.name: one.owner for one in inventory.credentials}


def _paused(context: Context) -> list[str]:
    """Rotating DAGs that are switched off; none where Airflow does not tell a task (before 3.3)."""
    paused = []
    for dag_id in ROTATING:
        try:
            dag = context["ti"].get_dag(dag_id)
        except Exception:  # noqa: BLE001 - a hint only, and not part of Airflow's promises
            log.info("whether %s is paused could not be asked", dag_id)
            continue
        if dag.is_paused:
            paused.append(dag_id)
    return paused


@contextmanager
def _airflow_words(context: Context) -> Iterator[None]:
    """A rotation's errors as Airflow's: nothing configured is a skip, all else is red."""
    try:
        yield
    except NotConfigured as nothing:
        log.warning("%s. %s", nothing.what, nothing.next_step)
        raise AirflowSkipException(nothing.what) from None
    except RotationError as error:
        text = f"{error.what}. {error.next_step}"
        context["ti"].xcom_push(key=TROUBLE, value=text)
        raise AirflowFailException(text) from None
