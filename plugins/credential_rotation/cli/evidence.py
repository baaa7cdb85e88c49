"""`evidence NAME`: what can be shown to an auditor, as a page or as JSON, and whether a file still is that.

Rules this file keeps:
- It changes nothing, and writes the one file that was asked for.
- `--check` needs no settings and no network: an auditor runs it on a copy.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path

import click

from bitwarden_vault.audit.line import Seal, read_key
from bitwarden_vault.audit.settings import KEY_FILE
from bitwarden_vault.errors import Misconfigured
from credential_rotation.cli import output
from credential_rotation.cli.run import as_json, leave_with, named, run_command, who
from credential_rotation.errors import BadInput
from credential_rotation.evidence.document import document_of
from credential_rotation.evidence.gathered import evidence_on
from credential_rotation.evidence.page import page
from credential_rotation.evidence.seal import check as check_evidence
from credential_rotation.evidence.seal import sealed
from credential_rotation.inventory.exceptions import about, load_exceptions
from credential_rotation.wiring import Deployment

TO_THE_PAGE = "Give --html FILE for a page, or --json."


@click.command()
@click.argument("name", required=False)
@click.option("--since", "since", type=click.DateTime(["%Y-%m-%d"]), help="Only from this day on.")
@click.option("--html", "html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page there.")
@click.option(
    "--check",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Tell whether this file is as it was made. Needs nothing else.",
)
@click.option("--key", type=click.Path(exists=True), help=f"With --check: the key's file; else {KEY_FILE}.")
@as_json
def evidence(  # noqa: PLR0913 - one for each option
    name: str | None,
    since: datetime | None,
    html: Path | None,
    file: Path | None,
    key: str | None,
    *,
    as_json: bool,
) -> None:
    """Show an auditor who rotated it, why and when, and what was proved.

    Wants NAME and --html or --json, or both; or --check FILE alone. From the state folder, from Bitwarden,
    and from the audit trail where one is kept.
    """
    if file is not None:
        leave_with(lambda: _check(file, key))
    moment = since.replace(tzinfo=timezone.utc) if since else None

    def run(deployment: Deployment) -> int:
        if name is None or not (html or as_json):
            raise BadInput("evidence of what, and where to?", next_step=f"`evidence NAME`. {TO_THE_PAGE}")
        [credential] = named(deployment.inventory(), [name], by_hand=True)
        let_be = about(load_exceptions(deployment.settings.include).let_be, credential)
        in_force = [one.as_dict() for one in let_be if not one.has_expired(deployment.clock())]
        found = evidence_on(deployment, credential, moment=moment, by=who(), exceptions=in_force)
        document = sealed(document_of(found), _seal(os.environ.get(KEY_FILE)))
        if html is not None:
            _write(html, page(document))
        if as_json:
            with output.answers() as out:
                json.dump(document, out, indent=1)
                out.write("\n")
        return output.DONE

    run_command(run, as_json=as_json)


def _write(path: Path, text: str) -> None:
    """Raises: BadInput."""
    try:
        path.write_bytes(text.encode())
    except OSError as wrong:
        raise BadInput(
            f"{str(path)!r} cannot be written: {wrong.strerror}", next_step="Name another file."
        ) from None
    output.progress(f"written: {path}")


def _check(file: Path, key: str | None) -> int:
    try:
        text = file.read_bytes().decode()
        seal = _seal(key or os.environ.get(KEY_FILE))
    except UnicodeDecodeError:
        output.progress("this is no evidence: it is no text")
        return output.NEEDS_A_PERSON
    except BadInput as wrong:
        output.progress(f"{wrong.what}. {wrong.next_step}")
        return output.BAD_INPUT
    verdict = check_evidence(text, [seal])
    with output.answers() as out:
        click.echo(verdict.what, file=out)
    return output.DONE if verdict.is_whole else output.NEEDS_A_PERSON


def _seal(path: str | None) -> Seal:
    """Raises: BadInput."""
    try:
        return read_key((path or "").strip() or None)
    except Misconfigured as wrong:
        raise BadInput(wrong.message, next_step=f"See {KEY_FILE} in docs/audit.md.") from None
