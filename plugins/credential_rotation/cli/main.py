"""The command line: for operators, and for the day when Airflow is down. Same code and settings as the DAGs.

Rules this file keeps:
- Bad input is said before anything is asked of vault or target, all names at once.
- Entries that cannot be used are told by every command that means all entries, which then is not green.
- Values are never printed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

import click

from credential_rotation.checks.approval_remarks import refused_in_a_shell
from credential_rotation.checks.check import check_deployment
from credential_rotation.cli import output
from credential_rotation.cli.each import LOOKING, REVOKING, Chosen, each
from credential_rotation.cli.later import LateGroup
from credential_rotation.cli.run import as_json, named, run_command, who
from credential_rotation.commands.adopting import adopt_connection
from credential_rotation.inventory.inventory import Inventory
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from credential_rotation.state.approvals import with_questions
from credential_rotation.wiring import Deployment

some_names = click.argument("names", nargs=-1, metavar="[NAME]...")
certain_names = click.argument("names", nargs=-1, required=True, metavar="NAME...")


class _Commands(LateGroup):
    later: ClassVar = {
        "close": "by_hand",
        "confirm": "by_hand",
        "discover": "discover",
        "evidence": "evidence",
    }


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Rotate credentials that are kept in Bitwarden Secrets Manager.

    Exit status: 0 done; 1 something needs a person; 2 bad input; 3 heals by itself.
    """


@main.command()
@some_names
@as_json
def check(names: tuple[str, ...], *, as_json: bool) -> None:
    """Tell every mistake before the first rotation.

    In inventory and settings, in access to Bitwarden, in privileges on each target. Writes nothing but one
    secret of its own per project, `rotation/check`; CURRENT and the roles are left alone.
    """

    def run(deployment: Deployment) -> int:
        inventory = deployment.inventory()
        report = check_deployment(deployment, inventory, named(inventory, names), tell=output.progress)
        return output.show_check(report, as_json=as_json)

    run_command(run, as_json=as_json)


@main.command()
@some_names
@as_json
def plan(names: tuple[str, ...], *, as_json: bool) -> None:
    """Tell what the next scheduled run would do. Reads no value and asks no target."""

    def run(deployment: Deployment) -> int:
        inventory = deployment.inventory(names_are_next=not names)
        chosen, problems = _chosen_of(deployment, inventory, names, by_hand=True)
        these = [one.name for one in chosen]
        outcomes = deployment.plan(inventory, _request(deployment), these=these)
        outcomes = with_questions(outcomes, os.environ, deployment.clock())
        notes = () if names else deployment.orphans(inventory)
        return output.show(outcomes, problems, as_json=as_json, notes=notes)

    run_command(run, as_json=as_json)


@main.command()
@some_names
@as_json
def status(names: tuple[str, ...], *, as_json: bool) -> None:
    """Tell each credential's version, age and due date."""

    def run(deployment: Deployment) -> int:
        inventory = deployment.inventory(names_are_next=not names)
        chosen, problems = _chosen_of(deployment, inventory, names, by_hand=True)
        outcomes = deployment.status(chosen, _request(deployment))
        outcomes = with_questions(outcomes, os.environ, deployment.clock())
        return output.show(outcomes, problems, as_json=as_json, agent=deployment.bitwarden.client.status())

    run_command(run, as_json=as_json)


@main.command()
@certain_names
@click.option(
    "--force",
    is_flag=True,
    help="In spite of pause and window, and where no stored value works. Needs --reason.",
)
@click.option("--reason", help="Why; kept as evidence.")
@click.option("--dry-run", is_flag=True, help="Look, ask the target, change nothing.")
@as_json
def rotate(names: tuple[str, ...], *, force: bool, reason: str | None, dry_run: bool, as_json: bool) -> None:
    """Rotate these credentials now: not being due is no reason not to."""

    def run(deployment: Deployment) -> int:
        request = _request(deployment, now=True, force=force, reason=reason)
        chosen = _chosen(deployment, names)
        doing, act = (LOOKING, deployment.foresee) if dry_run else ("rotating", deployment.rotate)
        why = None if dry_run else reason
        return each(
            chosen, doing, lambda one: refused_in_a_shell(one) or act(one, request), as_json=as_json, why=why
        )

    run_command(run, as_json=as_json)


@main.command()
@some_names
@as_json
def verify(names: tuple[str, ...], *, as_json: bool) -> None:
    """Prove that CURRENT works wherever it is used.

    Asks the primary, every endpoint and every consumer. Changes nothing.
    """

    def run(deployment: Deployment) -> int:
        return each(_chosen(deployment, names), "verifying", deployment.verify, as_json=as_json)

    run_command(run, as_json=as_json)


@main.command()
@some_names
@as_json
def retire(names: tuple[str, ...], *, as_json: bool) -> None:
    """Finish what was interrupted and retire replaced versions. Begins no new version."""

    def run(deployment: Deployment) -> int:
        chosen = _chosen(deployment, names)
        return each(chosen, "repairing", lambda one: deployment.rotate(one, None), as_json=as_json)

    run_command(run, as_json=as_json)


@main.command()
@click.argument("name")
@click.option("--take-over", is_flag=True, help="Also where another journal has stamped the principal.")
@click.option(
    "--from-connection", "conn_id", help="Take the value of this Airflow connection into Bitwarden."
)
@as_json
def adopt(name: str, *, take_over: bool, conn_id: str | None, as_json: bool) -> None:
    """Take a value that works under management, unchanged.

    The first rotation does this by itself; `--take-over` is for databases that were cloned from one that is
    rotated elsewhere. With `--from-connection` nothing may be stored in Bitwarden yet.
    """

    def take(deployment: Deployment, one: Credential) -> Outcome:
        if conn_id is None:
            return deployment.adopt(one, take_over=take_over)
        return adopt_connection(deployment, one, conn_id, take_over=take_over)

    def run(deployment: Deployment) -> int:
        chosen = _chosen(deployment, [name])
        return each(chosen, "adopting", lambda one: take(deployment, one), as_json=as_json)

    run_command(run, as_json=as_json)


@main.command()
@click.argument("name")
@click.option("--reason", required=True, help="What happened; kept as evidence.")
@click.option("--dry-run", is_flag=True, help="Tell what it will break, and change nothing.")
@as_json
def revoke(name: str, *, reason: str, dry_run: bool, as_json: bool) -> None:
    """Replace a value that may be in wrong hands, at once.

    No grace, no soak, open sessions ended. Readers that still hold the old value are refused from then on.
    Never goes back to a value from before.
    """

    def run(deployment: Deployment) -> int:
        request = Request(deployment.clock(), who(), now=True, force=True, revoke=True, reason=reason)
        chosen = _chosen(deployment, [name])
        if dry_run:
            return each(chosen, LOOKING, lambda one: deployment.foresee(one, request), as_json=as_json)
        return each(
            chosen, REVOKING, lambda one: deployment.rotate(one, request), as_json=as_json, why=reason
        )

    run_command(run, as_json=as_json)


@main.command()
@click.argument("name")
@click.option("--key", required=True, help="The key's id, as the message that asked you tells it.")
@click.option("--reason", required=True, help="How you know that nobody uses it.")
@as_json
def resolve(name: str, *, key: str, reason: str, as_json: bool) -> None:
    """Delete a key that no record names and nobody uses."""

    def run(deployment: Deployment) -> int:
        chosen = _chosen(deployment, [name])
        return each(
            chosen,
            "resolving",
            lambda one: deployment.resolve(one, key),
            as_json=as_json,
            why=reason,
        )

    run_command(run, as_json=as_json)


@main.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why; kept as evidence.")
@as_json
def rollback(name: str, *, reason: str, as_json: bool) -> None:
    """Go back to the value before, while it lives.

    For pairs and keys until their grace is over. Never after a compromise: rotate again instead.
    """

    def run(deployment: Deployment) -> int:
        chosen = _chosen(deployment, [name])
        return each(
            chosen, "rolling back", lambda one: deployment.rollback(one, reason), as_json=as_json, why=reason
        )

    run_command(run, as_json=as_json)


def _request(
    deployment: Deployment, *, now: bool = False, force: bool = False, reason: str | None = None
) -> Request:
    by = who() if now else "schedule"
    return Request(at=deployment.clock(), by=by, now=now, force=force, reason=reason)


def _chosen(deployment: Deployment, names: Sequence[str], *, by_hand: bool = False) -> Chosen:
    """These entries, or all with what is wrong with others. Raises: BadInput (entries or settings)."""
    return _chosen_of(deployment, deployment.inventory(), names, by_hand=by_hand)


def _chosen_of(
    deployment: Deployment, inventory: Inventory, names: Sequence[str], *, by_hand: bool = False
) -> Chosen:
    credentials = named(inventory, names, by_hand=by_hand)
    deployment.bitwarden.insist_on_settings()
    return credentials, () if names else inventory.problems
