"""What the command line prints, and its exit status.

Rules this file keeps:
- With `--json`, standard output is one JSON document and nothing else; all other words go to standard error.
- Names and reasons are printed as they are: no text can colour, link or move the cursor.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from credential_rotation.checking import Report
from credential_rotation.errors import BadInput, RotationError
from credential_rotation.inventory import Problem
from credential_rotation.outcome import Outcome

DONE, NEEDS_A_PERSON, BAD_INPUT, HEALS = 0, 1, 2, 3
_COLOURS = {DONE: "green", NEEDS_A_PERSON: "red", HEALS: "yellow"}


def progress(words: str) -> None:
    """Say on standard error what is being done."""
    click.echo(words, err=True)


def show(
    outcomes: Sequence[Outcome],
    problems: Sequence[Problem],
    *,
    as_json: bool,
    agent: Mapping[str, object] | None = None,
) -> int:
    """Print outcomes and what is wrong with the inventory; the exit status."""
    if as_json:
        more = {"agent": dict(agent)} if agent is not None else {}
        _print_json(
            {"credentials": [one.as_dict() for one in outcomes], "problems": _texts(problems), **more}
        )
    else:
        _print_table(outcomes)
        for text in _texts(problems):
            click.echo(f"not usable: {text}", err=True)
    return BAD_INPUT if problems else exit_status(outcomes)


def show_check(report: Report, *, as_json: bool) -> int:
    """Print all that `check` found; the exit status."""
    if as_json:
        _print_json(
            {
                "credentials": [one.as_dict() for one in report.outcomes],
                "problems": _texts(report.problems),
                "deployment": list(report.mistakes),
                "warnings": list(report.warnings),
            }
        )
    else:
        _print_table(report.outcomes)
        for mistake in (*_texts(report.problems), *report.mistakes):
            click.echo(f"wrong: {mistake}", err=True)
        for warning in report.warnings:
            click.echo(f"note: {warning}", err=True)
    if report.problems or report.mistakes:
        return BAD_INPUT
    return exit_status(report.outcomes)


def show_error(error: RotationError, *, as_json: bool) -> int:
    """Say what kept the command from doing anything; the exit status."""
    if as_json:
        _print_json({"credentials": [], "error": {"what": error.what, "next_step": error.next_step}})
    click.echo(f"{error.what}\n{error.next_step}", err=True)
    return BAD_INPUT if isinstance(error, BadInput) else NEEDS_A_PERSON


def exit_status(outcomes: Sequence[Outcome]) -> int:
    """The worst of these outcomes, as exit status."""
    codes = {_code(outcome) for outcome in outcomes}
    return next((code for code in (NEEDS_A_PERSON, HEALS) if code in codes), DONE)


def _code(outcome: Outcome) -> int:
    if outcome.is_done:
        return DONE
    return HEALS if outcome.heals_by_itself else NEEDS_A_PERSON


def _print_json(document: Mapping[str, object]) -> None:
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _print_table(outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("credential", "outcome", "version", "what and what next"):
        table.add_column(heading, overflow="fold")
    for one in outcomes:
        what = f"{one.reason}. {one.next_step}".rstrip(". ") if one.next_step else one.reason
        version = "" if one.version is None else str(one.version)
        colour = _COLOURS[_code(one)]
        table.add_row(Text(one.name), Text(one.outcome, style=colour), Text(version), Text(what))
    Console(soft_wrap=False).print(table)


def _texts(problems: Sequence[Problem]) -> list[str]:
    return [str(problem) for problem in problems]
