"""What people say of their own work: `confirm` a value that was handed on, `close` what was changed by hand.

Rules this file keeps:
- It is kept where the DAGs look, or the command says that it is not.
- Nothing is done to vault or target.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timezone

import click

from bitwarden_vault.state_settings import PATH
from credential_rotation.cli import output
from credential_rotation.cli.run import as_json, named, run_command, who
from credential_rotation.commands.closing import UNCHANGED, Word
from credential_rotation.commands.closing import close as closed
from credential_rotation.commands.confirming import confirm as confirmed
from credential_rotation.errors import BadInput
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.state.history import Asked, is_kept, keep_command, keep_outcome
from credential_rotation.wiring import Deployment


@click.command()
@click.argument("name")
@click.option("--consumer", help="Who has it, as the entry names them; may be left out where it is only one.")
@click.option("--version", type=int, help="Which version; refused where CURRENT is another one.")
@as_json
def confirm(name: str, *, consumer: str | None, version: int | None, as_json: bool) -> None:
    """Say that a manual consumer has the new value.

    What it replaced may be ended then. A word counts for one consumer and for CURRENT's version.
    """

    def run(deployment: Deployment) -> int:
        [credential] = named(deployment.inventory(), [name])
        deployment.bitwarden.insist_on_settings()
        return _told(
            deployment,
            credential,
            lambda: confirmed(deployment, credential, consumer=consumer, version=version, by=who()),
            as_json=as_json,
        )

    run_command(run, as_json=as_json)


@click.command()
@click.argument("name")
@click.option("--reason", required=True, help="What was done; kept as evidence.")
@click.option(
    "--changed-on",
    "changed",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day on which it was changed. Left out: now.",
)
@click.option(
    UNCHANGED,
    "unchanged",
    is_flag=True,
    help="Although its secret in Bitwarden was not changed since the last close; Bitwarden is not asked.",
)
@as_json
def close(name: str, *, reason: str, changed: datetime | None, unchanged: bool, as_json: bool) -> None:
    """Say that what no tool can change was changed.

    For entries of engine manual. Reminders begin anew, and it is evidence like any rotation.
    """
    moment = changed.replace(tzinfo=timezone.utc) if changed else None

    def run(deployment: Deployment) -> int:
        if not reason.strip():
            raise BadInput("a close needs a reason, and none was given", next_step="Say what was done.")
        [credential] = named(deployment.inventory(), [name], by_hand=True)
        word = Word(who(), reason.strip(), moment, is_unchanged=unchanged)
        return _told(
            deployment, credential, lambda: closed(deployment, credential, word), as_json=as_json, why=reason
        )

    run_command(run, as_json=as_json)


def _told(
    deployment: Deployment,
    credential: Credential,
    run: Callable[[], Outcome],
    *,
    as_json: bool,
    why: str | None = None,
) -> int:
    """Do it where it is kept, keep it for page and evidence, and print it. Raises: BadInput."""
    if not is_kept(os.environ):
        raise BadInput(
            f"neither {PATH} nor AIRFLOW_HOME is set here, so that nobody would find what you say",
            next_step=f"Set {PATH} as the scheduler and the workers have it, then say it again.",
        )
    outcome = run()
    asked, now = Asked(by=who(), why=why), deployment.clock()
    if outcome.outcome == "closed":  # as any other new version, also in the page's list
        keep_command(os.environ, [credential], [outcome], asked, now=now)
    else:
        keep_outcome(os.environ, credential, outcome, asked, now=now)
    return output.show([outcome], (), as_json=as_json)
