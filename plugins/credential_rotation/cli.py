"""The command line: for operators, and for the day when Airflow is down. Same code and settings as the DAGs.

Rules this file keeps:
- Bad input is said before anything is asked of vault or target, all names at once.
- Entries that cannot be used are told by every command that means all entries, which then is not green.
- Values are never printed.
"""

from __future__ import annotations

import getpass
import logging
import os
import sys
from collections.abc import Callable, Sequence

import click

from bitwarden_vault.nouns import Caller
from credential_rotation import cli_output as output
from credential_rotation.checking import check_deployment
from credential_rotation.errors import BadInput, RotationError
from credential_rotation.inventory import Inventory, Problem
from credential_rotation.inventory_words import nearest
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from credential_rotation.wiring import Deployment, open_deployment

Chosen = tuple[tuple[Credential, ...], tuple[Problem, ...]]

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
some_names = click.argument("names", nargs=-1, metavar="[NAME]...")
certain_names = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
        report = check_deployment(deployment, inventory, _named(inventory, names), tell=output.progress)
        return output.show_check(report, as_json=as_json)

    _run(run, as_json=as_json)


@main.command()
@some_names
@as_json
def plan(names: tuple[str, ...], *, as_json: bool) -> None:
    """Tell what the next scheduled run would do. Reads no value and asks no target."""

    def run(deployment: Deployment) -> int:
        chosen, problems = _chosen(deployment, names)
        these = [one.name for one in chosen]
        outcomes = deployment.plan(deployment.inventory(), _request(deployment), these=these)
        return output.show(outcomes, problems, as_json=as_json)

    _run(run, as_json=as_json)


@main.command()
@some_names
@as_json
def status(names: tuple[str, ...], *, as_json: bool) -> None:
    """Tell each credential's version, age and due date."""

    def run(deployment: Deployment) -> int:
        chosen, problems = _chosen(deployment, names)
        outcomes = deployment.status(chosen, _request(deployment))
        return output.show(outcomes, problems, as_json=as_json, agent=deployment.client.status())

    _run(run, as_json=as_json)


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
        if dry_run:
            return _each(chosen, "looking at", lambda one: deployment.foresee(one, request), as_json=as_json)
        return _each(chosen, "rotating", lambda one: deployment.rotate(one, request), as_json=as_json)

    _run(run, as_json=as_json)


@main.command()
@some_names
@as_json
def verify(names: tuple[str, ...], *, as_json: bool) -> None:
    """Prove that CURRENT works wherever it is used.

    Asks the primary, every endpoint and every consumer. Changes nothing.
    """

    def run(deployment: Deployment) -> int:
        return _each(_chosen(deployment, names), "verifying", deployment.verify, as_json=as_json)

    _run(run, as_json=as_json)


@main.command()
@some_names
@as_json
def retire(names: tuple[str, ...], *, as_json: bool) -> None:
    """Finish what was interrupted and retire replaced versions. Begins no new version."""

    def run(deployment: Deployment) -> int:
        chosen = _chosen(deployment, names)
        return _each(chosen, "repairing", lambda one: deployment.rotate(one, None), as_json=as_json)

    _run(run, as_json=as_json)


@main.command()
@click.argument("name")
@click.option("--take-over", is_flag=True, help="Also where another journal has stamped the principal.")
@as_json
def adopt(name: str, *, take_over: bool, as_json: bool) -> None:
    """Take a value that works under management, unchanged.

    The first rotation does this by itself; `--take-over` is for databases that were cloned from one that is
    rotated elsewhere.
    """

    def run(deployment: Deployment) -> int:
        chosen = _chosen(deployment, [name])
        return _each(
            chosen, "adopting", lambda one: deployment.adopt(one, take_over=take_over), as_json=as_json
        )

    _run(run, as_json=as_json)


@main.command()
@click.argument("name")
@click.option("--reason", required=True, help="What happened; kept as evidence.")
@as_json
def revoke(name: str, *, reason: str, as_json: bool) -> None:
    """Replace a value that may be in wrong hands, at once.

    No grace, no soak, open sessions ended. Readers that still hold the old value are refused from then on.
    Never goes back to a value from before.
    """

    def run(deployment: Deployment) -> int:
        by = f"{getpass.getuser()} (command line)"
        request = Request(deployment.clock(), by, now=True, force=True, revoke=True, reason=reason)
        chosen = _chosen(deployment, [name])
        return _each(chosen, "revoking", lambda one: deployment.rotate(one, request), as_json=as_json)

    _run(run, as_json=as_json)


@main.command()
@click.argument("name")
@click.option("--key", required=True, help="The key's id, as the message that asked you tells it.")
@click.option("--reason", required=True, help="How you know that nobody uses it.")
@as_json
def resolve(name: str, *, key: str, reason: str, as_json: bool) -> None:
    """Delete a key that no record names and nobody uses."""

    def run(deployment: Deployment) -> int:
        chosen = _chosen(deployment, [name])
        return _each(
            chosen, f"resolving ({reason})", lambda one: deployment.resolve(one, key), as_json=as_json
        )

    _run(run, as_json=as_json)


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
        return _each(chosen, "rolling back", lambda one: deployment.rollback(one, reason), as_json=as_json)

    _run(run, as_json=as_json)


def _run(command: Callable[[Deployment], int], *, as_json: bool) -> None:
    """Run a command and leave with its exit status; bad input and trouble are said once, with the remedy."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="      %(message)s")
    logging.getLogger("credential_rotation").setLevel(logging.INFO)
    try:
        deployment = open_deployment(os.environ, Caller(user=getpass.getuser()))
        code = command(deployment)
    except RotationError as error:
        code = output.show_error(error, as_json=as_json)
    raise SystemExit(code)


def _each(chosen: Chosen, doing: str, run: Callable[[Credential], Outcome], *, as_json: bool) -> int:
    credentials, problems = chosen
    outcomes = []
    for position, credential in enumerate(credentials, 1):
        output.progress(f"[{position}/{len(credentials)}] {doing} {credential.name}")
        outcomes.append(run(credential))
    return output.show(outcomes, problems, as_json=as_json)


def _request(
    deployment: Deployment, *, now: bool = False, force: bool = False, reason: str | None = None
) -> Request:
    by = f"{getpass.getuser()} (command line)" if now else "schedule"
    return Request(at=deployment.clock(), by=by, now=now, force=force, reason=reason)


def _chosen(deployment: Deployment, names: Sequence[str]) -> Chosen:
    """These entries, or all with what is wrong with others. Raises: BadInput (entries or settings)."""
    inventory = deployment.inventory()
    credentials = _named(inventory, names)
    deployment.insist_on_settings()
    return credentials, () if names else inventory.problems


def _named(inventory: Inventory, names: Sequence[str]) -> tuple[Credential, ...]:
    """These entries, or all. Raises: BadInput (with all that are wrong)."""
    if not names:
        return inventory.credentials
    by_name = {one.name: one for one in inventory.credentials}
    wrong = [_why_not(inventory, name) for name in dict.fromkeys(names) if name not in by_name]
    if wrong:
        raise BadInput("\n".join(wrong), next_step="`check` shows every entry and what is wrong with it.")
    return tuple(by_name[name] for name in dict.fromkeys(names))


def _why_not(inventory: Inventory, name: str) -> str:
    mistakes = [str(problem) for problem in inventory.problems if problem.name == name]
    known = [one.name for one in inventory.credentials]
    return "; ".join(mistakes) or f"there is no credential {name[:100]!r}{nearest(name, known)}"
