"""What every command does alike: settings and inventory, the exit status, and whose names these are.

Rules this file keeps:
- Bad input is said before anything is asked of vault or target, all names at once.
- Trouble is said once, with the remedy, and never as a traceback.
"""

from __future__ import annotations

import getpass
import io
import logging
import os
import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from typing import NoReturn

import click

from bitwarden_vault.nouns import Caller
from credential_rotation.by_hand import how_to_close, no_tool
from credential_rotation.cli import output
from credential_rotation.errors import BadInput, RotationError
from credential_rotation.inventory.garbage import rarely_looked_for
from credential_rotation.inventory.inventory import Inventory
from credential_rotation.inventory.words import nearest
from credential_rotation.model import Credential
from credential_rotation.wiring import Deployment, open_deployment

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")


def run_command(command: Callable[[Deployment], int], *, as_json: bool) -> None:
    """Run a command and leave with its exit status; bad input and trouble are said once, with the remedy."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="      %(message)s")
    logging.getLogger("credential_rotation").setLevel(logging.INFO)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal of few characters must not cost the answer

    def answer() -> int:
        try:
            with rarely_looked_for():
                return command(open_deployment(os.environ, Caller(user=_user())))
        except RotationError as error:
            return output.show_error(error, as_json=as_json)

    leave_with(answer)


def leave_with(answer: Callable[[], int]) -> NoReturn:
    """Leave with its exit status; where the answer cannot be written, that is said."""
    try:
        with output.answers_alone():
            code = answer()
    except output.NotWritten as why:
        output.progress(
            f"the answer could not be written to standard output ({why}); what was done is done, and "
            "`status` tells how things are"
        )
        code = output.NEEDS_A_PERSON
    raise SystemExit(code)


def who() -> str:
    """Who asks, as evidence keeps it."""
    return f"{_user()} (command line)"


def _user() -> str:
    """By name; by number where the machine has no name for it, as in an image that runs under any."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # up to Python 3.12, and from 3.13 on
        return f"uid {os.getuid()}"


def named(inventory: Inventory, names: Sequence[str], *, by_hand: bool = False) -> tuple[Credential, ...]:
    """These entries, or all; `by_hand`: also what only people can change. Raises: BadInput (all mistakes)."""
    listed = inventory.all if by_hand else inventory.credentials
    if not names:
        return listed
    by_name = {one.name: one for one in listed}
    wrong = [_why_not(inventory, name) for name in dict.fromkeys(names) if name not in by_name]
    if wrong:
        raise BadInput("\n".join(wrong), next_step=_where_to_look(inventory, names, set(by_name)))
    return tuple(by_name[name] for name in dict.fromkeys(names))


def _where_to_look(inventory: Inventory, names: Sequence[str], usable: Collection[str]) -> str:
    """`check` lists what the rotation changes, and not what people change by hand."""
    by_hand = [one.name for one in inventory.manual if one.name in names and one.name not in usable]
    steps = [f"`status {shlex.quote(name)}` tells when it is due." for name in by_hand]
    if any(name not in usable and name not in by_hand for name in names):
        steps.append("`check` without a name shows every entry and what is wrong with it.")
    return " ".join(steps)


def _why_not(inventory: Inventory, name: str) -> str:
    if any(one.name == name for one in inventory.manual):
        return f"{no_tool(name)}. {how_to_close(name)}"
    mistakes = [str(problem) for problem in inventory.problems if problem.name == name]
    known = [one.name for one in inventory.all]
    return "; ".join(mistakes) or f"there is no credential {name[:100]!r}{nearest(name, known)}"
