"""`discover`: logins on the inventory's targets that no entry manages.

Rules this file keeps:
- It only looks, and prints names, never a value.
- What is let be is printed too, with who answers for it and until when.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from credential_rotation.cli import output
from credential_rotation.cli.run import as_json, run_command
from credential_rotation.commands.discovery import discover as ask_targets
from credential_rotation.discovered import Discovered, Login, Unmanaged
from credential_rotation.errors import BadInput
from credential_rotation.inventory.exceptions import FILE, load_exceptions
from credential_rotation.wiring import Deployment


@click.command()
@click.option(
    "--ignore",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Exceptions: reason, owner and end date each. Left out: {FILE} in the include folder.",
)
@as_json
def discover(ignore: Path | None, *, as_json: bool) -> None:
    """List roles and keys that no entry manages.

    On every target that the inventory names, through its admins: with their last use where the target
    knows it, and what would be better than a static password or key. Changes nothing.
    """

    def run(deployment: Deployment) -> int:
        inventory = deployment.inventory()
        deployment.bitwarden.insist_on_settings()
        exceptions = load_exceptions(deployment.settings.include, ignore)
        if exceptions.mistakes:
            raise BadInput(
                "\n".join(exceptions.mistakes), next_step="Mend these exceptions, then run it again."
            )
        for problem in inventory.problems:
            output.progress(f"wrong, so that its logins are taken for nobody's: {problem}")
        found = ask_targets(deployment, inventory, exceptions, tell=output.progress)
        return _show(found, as_json=as_json)

    run_command(run, as_json=as_json)


def _show(found: Discovered, *, as_json: bool) -> int:
    with output.answers() as out:
        if as_json:
            json.dump(_document(found), out, indent=2)
            out.write("\n")
        else:
            for line in _lines(found):
                click.echo(output.plain(line), file=out)
    count = len(found.unmanaged)
    unasked = f"{output.counted(len(found.unasked), 'target')} that could not be asked"
    output.progress(f"{count} unmanaged, {len(found.let_be)} let be, {unasked}")
    return output.NEEDS_A_PERSON if found.unmanaged or found.unasked else output.DONE


def _lines(found: Discovered) -> Iterable[str]:
    for one in found.unmanaged:
        yield f"{_name(one.login)}: {one.use}"
        if one.expired is not None:
            until = f"{one.expired.until:%Y-%m-%d}"
            yield f"    let be until {until} ({one.expired.reason}; {one.expired.owner}); that is over"
        if one.login.has_password is None:
            yield "    whether it has a password this admin may not see"
        yield f"    {one.instead}"
    for login, let_be in found.let_be:
        until = f"{let_be.until:%Y-%m-%d}"
        yield f"let be until {until}: {_name(login)} ({let_be.reason}; {let_be.owner}; {let_be.source})"
    for unasked in found.unasked:
        yield f"not asked: {unasked.where}: {unasked.why}"


def _document(found: Discovered) -> dict[str, object]:
    return {
        "unmanaged": [_row(one) for one in found.unmanaged],
        "let_be": [{**_login(login), **one.as_dict()} for login, one in found.let_be],
        "not_asked": [{"where": one.where, "why": one.why} for one in found.unasked],
    }


def _row(one: Unmanaged) -> dict[str, object]:
    expired = one.expired.as_dict() if one.expired else None
    return {**_login(one.login), "use": one.use, "instead": one.instead, "expired_exception": expired}


def _login(login: Login) -> dict[str, object]:
    return {
        "engine": login.engine,
        "where": login.where,
        "principal": login.principal,
        "key": login.login or None,
        "is_active": login.is_active,
        "has_password": login.has_password,
        "is_superuser": login.is_superuser,
        "created": login.created.isoformat() if login.created else None,
        "last_used": login.last_used.isoformat() if login.last_used else None,
        "valid_until": login.valid_until or None,
        "connections": login.connections,
    }


def _name(login: Login) -> str:
    key = f" key {login.login}" if login.login else ""
    return f"{login.engine} {login.principal}{key} at {login.where}"
