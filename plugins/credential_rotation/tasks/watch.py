"""The task of the watchdog: one message a day about what needs a person, and a sign of life to the outside.

Rules this file keeps:
- What is told only once counts as told when the message had room for it and got through.
- The sign of life comes last: where it is missing, something before it went wrong.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence

from airflow.sdk import Context, get_current_context, task

from bitwarden_vault.state_folder import state_folder
from credential_rotation.alerts.digest import digest_message, long_open, those_shown
from credential_rotation.alerts.heartbeat import HEARTBEAT, beat
from credential_rotation.alerts.people import DEPLOYMENT, teller_of
from credential_rotation.alerts.removed import tell_removed
from credential_rotation.alerts.slack import NotSent, is_complete
from credential_rotation.alerts.weekly import tell_week
from credential_rotation.approvers import WITH_APPROVAL
from credential_rotation.by_hand import RECORDS
from credential_rotation.inventory.inventory import Inventory
from credential_rotation.planning.exceptions_told import exceptions_to_tell
from credential_rotation.planning.planning import Known
from credential_rotation.planning.reminders import reminders_of
from credential_rotation.planning.watchdog import SCHEDULED, Finding, expiry, findings, paused
from credential_rotation.state.confirmations import by_hand
from credential_rotation.state.history import prune
from credential_rotation.state.reminders import Reminders
from credential_rotation.tasks.airflow_ends import AirflowFailException
from credential_rotation.tasks.mapped import KILLED_TASKS, SOON
from credential_rotation.tasks.metrics import tell_ages
from credential_rotation.tasks.run_context import airflow_words, deployment_of
from credential_rotation.tasks.unused import unused_to_tell, unused_was_told
from credential_rotation.tasks.waiting_lanes import tasks_that_wait
from credential_rotation.wiring import Deployment

log = logging.getLogger(__name__)


@task(retries=KILLED_TASKS, retry_delay=SOON)
def watch() -> None:
    """Tell Slack what is overdue, stuck or paused; then tell the outside that this ran to its end."""
    context = get_current_context()
    with airflow_words(context):
        deployment = deployment_of(context)
        prune(os.environ, deployment.clock())
        inventory = deployment.inventory()
        known = deployment.known(inventory.all)
        tell_ages(inventory.all, known, deployment.clock())
        reminders = Reminders(
            state_folder(os.environ), reminders_of(inventory.all, known, deployment.clock())
        )
        teller = teller_of(os.environ, context=context)
        tell_removed(teller, inventory, run=context["run_id"], deployment=os.environ.get(DEPLOYMENT))
        unused = unused_to_tell(deployment, inventory.credentials)
        found = [
            *expiry(deployment.settings.token_ends, deployment.clock()),
            *(Finding("", remark) for remark in deployment.bitwarden.remarks_on_tokens()),
            *reminders.findings,
            *_found(context, deployment, inventory, known),
            *long_open(teller.book.all(), deployment.clock()),
            *unused,
        ]
        for finding in found:
            log.warning("%s %s", finding.name, finding.what)
        message = digest_message(found, deployment=os.environ.get(DEPLOYMENT), run=context["run_id"])
        sent = teller.say(message, "digest") if message else None
        if is_complete(sent, has_others=teller.channels.has_others):
            shown = those_shown(found)
            reminders.were_told(shown)
            unused_was_told(deployment, unused, shown)
        weekly = tell_week(teller, os.environ, inventory.all, known, run=context["run_id"])
        sent = weekly if sent is None or isinstance(weekly, NotSent) else sent
        url = os.environ.get(HEARTBEAT, "").strip()
        trouble = beat(url) if url and is_complete(sent, has_others=teller.channels.has_others) else ""
    if isinstance(sent, NotSent) and sent.is_configured:
        raise AirflowFailException(f"Slack was not told: {sent.why}")
    if trouble:
        raise AirflowFailException(f"the heartbeat was not heard: {trouble}")


def _found(
    context: Context, deployment: Deployment, inventory: Inventory, known: Mapping[str, Known]
) -> Iterator[Finding]:
    """What does not go as entries, policies and exceptions say."""
    for problem in inventory.problems:
        yield Finding("", f"entry that cannot be used: {problem}")
    yield from findings(inventory.credentials, known, deployment.clock())
    for orphan in deployment.orphans(inventory):
        yield Finding("", orphan)
    yield from exceptions_to_tell(deployment.settings.include, deployment.clock())
    asks = any(one.policy.approval for one in inventory.credentials)
    scheduled = (*SCHEDULED, WITH_APPROVAL) if asks else SCHEDULED
    has_people = inventory.manual or any(by_hand(one) for one in inventory.credentials)
    yield from map(paused, _paused(context, (*scheduled, RECORDS) if has_people else scheduled))
    yield from tasks_that_wait(context["ti"], scheduled, inventory.credentials)


def _paused(context: Context, scheduled: Sequence[str]) -> list[str]:
    """Those that are switched off; none where Airflow does not tell a task (before 3.3)."""
    found = []
    for dag_id in scheduled:
        try:
            dag = context["ti"].get_dag(dag_id)
        except Exception:  # noqa: BLE001 - a hint only, and not part of Airflow's promises
            log.info("whether %s is paused could not be asked", dag_id)
            continue
        if dag.is_paused:
            found.append(dag_id)
    return found
