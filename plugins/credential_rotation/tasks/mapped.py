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
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import get_current_context, task

from credential_rotation.errors import BadInput
from credential_rotation.inventory.inventory import Inventory
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.planning.status_rows import status_document
from credential_rotation.policy import Request
from credential_rotation.state.history import keep_run, keep_status
from credential_rotation.tasks.airflow_ends import AirflowFailException, AirflowSkipException
from credential_rotation.tasks.asset_events import ROTATED
from credential_rotation.tasks.by_wish import rotate_by_wish
from credential_rotation.tasks.report import TROUBLE, Reported
from credential_rotation.tasks.run_brake import why_held
from credential_rotation.tasks.run_context import (
    airflow_words,
    asked_in,
    deployment_of,
    end_with,
    hand_on,
    owners,
    the_wish,
    words_about,
)
from credential_rotation.tasks.share_out import share_out
from credential_rotation.tasks.trigger_form import Wish, insist_on_choice
from credential_rotation.wiring import Deployment, now

log = logging.getLogger(__name__)

LONGEST = timedelta(minutes=45)
"""More than settle and Bitwarden's patience together."""
KILLED_TASKS = 1
"""Retries: orderly ends are final, so that only a task that was killed is tried again."""
SOON = timedelta(seconds=10)
AS_ROTATED: dict[str, Any] = {
    "map_index_template": "{{ task.credential }}",
    "outlets": [ROTATED],
    "execution_timeout": LONGEST,
    "retries": KILLED_TASKS,
    "retry_delay": SOON,
}
"""What a task is that rotates one credential."""


@task(retries=KILLED_TASKS, retry_delay=SOON)
def plan_rotations(engines: Sequence[str]) -> list[str]:
    """Names of the credentials that this run has something to do for."""
    return planned(engines, _due)


@task(retries=KILLED_TASKS, retry_delay=SOON)
def plan_retirements(engines: Sequence[str]) -> list[str]:
    """Names of the credentials where something is open; those chosen by hand in any case."""
    return planned(engines, _open)


@task(retries=KILLED_TASKS, retry_delay=SOON)
def plan_verifications(engines: Sequence[str]) -> list[str]:
    """Names of all credentials, or of those chosen by hand."""

    def everything(_: Deployment, inventory: Inventory, chosen: list[str], wish: Wish) -> list[str]:
        insist_on_choice(wish)
        if inventory.problems and not wish.names:
            context = get_current_context()
            texts = "; ".join(str(problem) for problem in inventory.problems)
            context["ti"].xcom_push(key=TROUBLE, value=f"entries that cannot be used: {texts}")
        return chosen

    return planned(engines, everything)


@task(
    map_index_template="{{ credential }}",
    outlets=[ROTATED],
    execution_timeout=LONGEST,
    retries=KILLED_TASKS,
    retry_delay=SOON,
)
def rotate(name: str) -> None:
    """One attempt on one credential; what was asked for by hand waits for its turn."""
    _on_one(name, lambda site, entry, wish: rotate_by_wish(site, entry, wish, lambda: _brake(site)))


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
    """Tell people what needs one of them; red unless all that was planned happened and was proved."""
    reported = Reported.of_this_run(get_current_context(), worker=worker, planner=planner, work=work)
    if reported.is_unconfigured:
        raise AirflowSkipException("nothing is configured yet; the plan task's log says what to fill in")
    to_tell = reported.to_tell
    to_tell.tell_people(os.environ, owners())
    keep_run(
        os.environ,
        asked_in(get_current_context()),
        to_tell.outcomes,
        missing=to_tell.missing,
        trouble=to_tell.trouble,
        now=now(),
    )
    reported.log_all()
    if reported.complaint:
        raise AirflowFailException(reported.complaint)


# --- planning ------------------------------------------------------------------------------------------


Choose = Callable[[Deployment, Inventory, list[str], Wish], list[str]]


def planned(engines: Sequence[str], choose: Choose) -> list[str]:
    """The names that a run works on, as `choose` decides; of those in lanes only their tasks hear."""
    context = get_current_context()
    with airflow_words(context):
        deployment = deployment_of(context)
        inventory = deployment.inventory()
        for problem in inventory.problems:
            log.error("not usable: %s", problem)
        of_engines = [one for one in inventory.credentials if one.engine in engines]
        wish = the_wish(context)
        names = choose(deployment, inventory, _chosen(of_engines, inventory, wish), wish)
        log.info("planned: %s", ", ".join(names) or "nothing")
        return share_out(context, inventory.credentials, names)


def _due(deployment: Deployment, inventory: Inventory, chosen: list[str], wish: Wish) -> list[str]:
    return chosen if wish.names else _with_work(deployment, inventory, chosen, wish.request)


def _open(deployment: Deployment, inventory: Inventory, chosen: list[str], wish: Wish) -> list[str]:
    insist_on_choice(wish)
    return chosen if wish.names else _with_work(deployment, inventory, chosen, None)


def _with_work(
    deployment: Deployment, inventory: Inventory, chosen: list[str], begin: Request | None
) -> list[str]:
    if not chosen and inventory.credentials:  # another planner tells the page of those
        return []
    known = deployment.known(inventory.all)
    for orphan in deployment.orphans(inventory):
        log.warning("%s", orphan)
    problems = [str(problem) for problem in inventory.problems]
    document = status_document(inventory.all, known, problems=problems, now=deployment.clock())
    keep_status(os.environ, get_current_context()["ti"].dag_id, document)
    outcomes = deployment.plan(inventory, begin, these=chosen, known=known)
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
    with words_about(context, name):
        deployment = deployment_of(context)
        credential = deployment.entry(name)
        outcome = run(deployment, credential, the_wish(context))
        hand_on(context, credential, outcome, asked_in(context), now=deployment.clock())
    end_with(context, outcome)


def _brake(deployment: Deployment) -> str | None:
    return why_held(get_current_context(), deployment)
