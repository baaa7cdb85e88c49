"""The tasks around a question to a person: which credentials to ask about, and what the run came to.

Rules this file keeps:
- Only entries whose policy wants approval, and those only when nothing of them is open: repair asks nobody.
- What waits for an answer, or was refused a while ago, is not asked about again by the schedule.
- Each credential's end was told by its own task; here what no task could tell, and what many share.
- A question that is open when all tasks of its run have ended is over.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow.sdk import get_current_context, task

from bitwarden_vault.state_folder import state_folder
from credential_rotation.approval.operator import RotateWithApproval
from credential_rotation.approval.told import end_lost_questions
from credential_rotation.errors import BadInput
from credential_rotation.inventory.inventory import Inventory
from credential_rotation.model import Credential
from credential_rotation.state.approvals import QuestionBook
from credential_rotation.state.history import keep_run
from credential_rotation.tasks.airflow_ends import AirflowFailException, AirflowSkipException
from credential_rotation.tasks.mapped import AS_ROTATED, KILLED_TASKS, SOON, planned
from credential_rotation.tasks.report import Reported
from credential_rotation.tasks.run_context import asked_in, owners
from credential_rotation.tasks.trigger_form import Wish
from credential_rotation.wiring import Deployment, now

log = logging.getLogger(__name__)


@task(retries=KILLED_TASKS, retry_delay=SOON)
def plan_approvals(engines: Sequence[str]) -> list[str]:
    """Names of the credentials that somebody is to be asked about."""
    return planned(engines, _to_ask_about)


@task(trigger_rule="all_done", retries=KILLED_TASKS, retry_delay=SOON)
def report_approvals(worker: str, planner: str) -> None:
    """Tell what no task could tell; red unless all that was planned was done or answered."""
    context = get_current_context()
    reported = Reported.of_this_run(context, worker=worker, planner=planner, work="rotation")
    if reported.is_unconfigured:
        raise AirflowSkipException("nothing is configured yet; the plan task's log says what to fill in")
    end_lost_questions(context)
    untold = reported.untold
    untold.tell_people(os.environ, owners())
    if not reported.is_dry:
        reported.sum_up(os.environ, owners())
    keep_run(
        os.environ,
        asked_in(context),
        untold.outcomes,
        missing=untold.missing,
        trouble=untold.trouble,
        now=now(),
    )
    reported.log_all()
    if reported.complaint:
        raise AirflowFailException(reported.complaint)


def ask_about(names: Any, **own: Any) -> Any:  # noqa: ANN401 - Airflow's own
    """A mapped task over these names, which asks and rotates; `own` is its id and where it runs."""
    return RotateWithApproval.partial(**own, **AS_ROTATED).expand(credential=names)


def _to_ask_about(deployment: Deployment, inventory: Inventory, chosen: list[str], wish: Wish) -> list[str]:
    guarded = {one.name for one in inventory.credentials if one.policy.approval is not None}
    if wish.names:
        _insist(guarded, wish)
        return chosen
    names = [name for name in chosen if name in guarded]
    if not names:
        return []
    known = deployment.known(inventory.credentials)
    as_if = replace(inventory, credentials=tuple(map(_without_approval, inventory.credentials)))
    outcomes = deployment.plan(as_if, wish.request, these=names, known=known)
    at, book, found = deployment.clock(), QuestionBook(state_folder(os.environ)), []
    for outcome in outcomes:
        question = book.of(outcome.name)
        if known[outcome.name].is_open or outcome.outcome != "planned":
            log.info("%s: %s, %s", outcome.name, outcome.outcome, outcome.reason)
        elif question is not None and question.holds_off(at):
            log.info("%s: not asked about now, %s", outcome.name, question.why or question.words)
        else:
            found.append(outcome.name)
    return found


def _insist(guarded: set[str], wish: Wish) -> None:
    """Raises: BadInput (a chosen entry needs nobody's approval)."""
    free = [name for name in wish.names if name not in guarded]
    if free:
        raise BadInput(
            f"the policy of {', '.join(free)[:500]} wants nobody's approval",
            next_step="Trigger the DAG of its engine instead, or give its policy `approval: required`.",
        )


def _without_approval(credential: Credential) -> Credential:
    return replace(credential, policy=replace(credential.policy, approval=None))
