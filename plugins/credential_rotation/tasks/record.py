"""The task that keeps what a person says: they have changed it, or somebody has the new value.

Rules this file keeps:
- It is said by the user who triggered the run, whom Airflow's login has proved; without one nothing is said.
- A word is given when the run is asked for: one that is tried again gives the same word again.
- A run that is cleared keeps none: it tells what was kept, and is red where that was nothing.
- It does what `close` and `confirm` do, and keeps what they keep.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow.sdk import Context, get_current_context, task

from credential_rotation.commands.closing import Word
from credential_rotation.commands.closing import close as closed
from credential_rotation.commands.confirming import confirm as confirmed
from credential_rotation.errors import BadInput
from credential_rotation.inventory.inventory import Inventory
from credential_rotation.inventory.words import nearest
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.state.history import keep_command_run
from credential_rotation.tasks.mapped import KILLED_TASKS, SOON
from credential_rotation.tasks.run_context import (
    airflow_words,
    asked_in,
    deployment_of,
    end_with,
    hand_on,
)
from credential_rotation.tasks.word_form import CLOSE, Said, said_in
from credential_rotation.wiring import Deployment

LONGEST = timedelta(minutes=10)
"""More than Bitwarden's patience."""


@task(execution_timeout=LONGEST, retries=KILLED_TASKS, retry_delay=SOON)
def record() -> None:
    """Keep what the person says who has triggered this run."""
    context = get_current_context()
    with airflow_words(context):
        deployment = deployment_of(context)
        inventory = deployment.inventory()
        by, said = _speaker(context), said_in(context["dag_run"].conf or {}, context["params"])
        credential = _chosen(inventory, said.name)
        run, asked = context["dag_run"], asked_in(context)
        is_cleared = bool(run.clear_number)
        outcome = _kept(deployment, credential, said, by=by, at=run.run_after, is_cleared=is_cleared)
        hand_on(context, credential, outcome, asked, now=deployment.clock())
        if outcome.outcome == "closed":  # as any other new version, also in the page's list, and once
            keep_command_run(os.environ, [credential], [outcome], asked, now=outcome.steps[-1].at)
    end_with(context, outcome)


def _kept(  # noqa: PLR0913 - each by its name
    deployment: Deployment, credential: Credential, said: Said, *, by: str, at: datetime, is_cleared: bool
) -> Outcome:
    if said.done == CLOSE:
        word = Word(
            by,
            said.reason or "",
            said.changed,
            is_unchanged=said.unchanged,
            said=at,
            is_cleared=is_cleared,
        )
        return closed(deployment, credential, word)
    deployment.bitwarden.insist_on_settings()
    return confirmed(
        deployment,
        credential,
        consumer=said.consumer,
        version=said.version,
        by=by,
        told_at=at,
        is_cleared=is_cleared,
    )


def _speaker(context: Context) -> str:
    """Who says it. Raises: BadInput (nobody whom Airflow can name, or a DAG in somebody's name)."""
    run = context["dag_run"]
    name = run.triggering_user_name if run.run_type == "manual" else None
    if not name:
        raise BadInput(
            "no person has asked for this run themselves, and only a person can give their word",
            next_step="Trigger it in Airflow under your own login.",
        )
    return str(name)


def _chosen(inventory: Inventory, name: str) -> Credential:
    """The entry. Raises: BadInput (none of this name, or it has mistakes)."""
    found = next((one for one in inventory.all if one.name == name), None)
    if found is None:
        mistakes = [str(problem) for problem in inventory.problems if problem.name == name]
        known = [one.name for one in inventory.all]
        raise BadInput(
            "; ".join(mistakes) or f"there is no credential {name[:100]!r}{nearest(name, known)}",
            next_step="`python -m credential_rotation check` shows every entry and what is wrong with it.",
        )
    return found
