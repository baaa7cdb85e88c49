"""What the command line prints, and its exit status.

Rules this file keeps:
- With `--json`, standard output is one JSON document and nothing else; all other words go to standard error,
  other people's too.
- What is wrong comes first, the last line sums up.
- Names and reasons are printed as they are: no text can colour, link or move the cursor.
- Bad input decides the exit status where there is any: what it hides cannot be told before it is mended.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import TextIO

import click

from credential_rotation.checks.check import Report
from credential_rotation.errors import BadInput, RotationError
from credential_rotation.inventory.inventory import Problem
from credential_rotation.outcome import Outcome

DONE, NEEDS_A_PERSON, BAD_INPUT, HEALS = 0, 1, 2, 3
_WIDEST_NAME = 30
_ANSWERS: ContextVar[tuple[TextIO | None] | None] = ContextVar("answers", default=None)
_COLOURS = {DONE: "green", NEEDS_A_PERSON: "red", HEALS: "yellow"}


class NotWritten(Exception):
    """Standard output does not take the answer; the text says why."""


@contextmanager
def answers_alone() -> Iterator[None]:
    """Send what others write to standard output to standard error: Airflow's log, a notifier's own words."""
    token = _ANSWERS.set((sys.stdout,))
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _ANSWERS.reset(token)


@contextmanager
def answers() -> Iterator[TextIO]:
    """Where documents and tables go, and they stand there in one. Raises: NotWritten.

    Who closes a pipe has read enough: that is left to click, which ends quietly.
    """
    [out] = _ANSWERS.get() or (sys.stdout,)
    if out is None:
        raise NotWritten("it is closed")
    try:
        yield out
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as why:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # or Python complains of it once more
        raise NotWritten(why.strerror or type(why).__name__) from None


def progress(words: str) -> None:
    """Say on standard error what is being done."""
    click.echo(plain(words), err=True)


def show(
    outcomes: Sequence[Outcome],
    problems: Sequence[Problem],
    *,
    as_json: bool,
    agent: Mapping[str, object] | None = None,
    notes: Sequence[str] = (),
) -> int:
    """Print outcomes, what is wrong with the inventory, and what is to be seen to; the exit status.

    Raises: NotWritten.
    """
    try:
        if as_json:
            more: dict[str, object] = {"agent": dict(agent)} if agent is not None else {}
            more |= {"warnings": list(notes)} if notes else {}
            _print_json(
                {"credentials": [one.as_dict() for one in outcomes], "problems": _texts(problems), **more}
            )
        else:
            _say_each("wrong", _texts(problems))
            _print_table(outcomes)
            _say_each("note", notes)
    finally:
        _sum_up(outcomes, problems)
    return BAD_INPUT if problems else exit_status(outcomes)


def show_check(report: Report, *, as_json: bool) -> int:
    """Print all that `check` found; the exit status."""
    if as_json:
        _print_json(
            {
                "credentials": [one.as_dict() for one in report.outcomes],
                "problems": _texts(report.problems),
                "deployment": [_sentences(error.what, error.next_step) for error in report.mistakes],
                "warnings": list(report.warnings),
            }
        )
    else:
        _say_each("wrong", _texts(report.problems))
        _say_each("wrong", [_sentences(error.what, error.next_step) for error in report.mistakes])
        _print_table(sorted(report.outcomes, key=lambda one: one.is_done))
        _say_each("note", report.warnings)
    _sum_up(report.outcomes, (*report.problems, *report.mistakes))
    if report.problems or any(isinstance(error, BadInput) for error in report.mistakes):
        return BAD_INPUT
    return NEEDS_A_PERSON if report.mistakes else exit_status(report.outcomes)


def show_error(error: RotationError, *, as_json: bool) -> int:
    """Say what kept the command from doing anything; the exit status. Raises: NotWritten."""
    click.echo(f"{plain(error.what)}\n{plain(error.next_step)}", err=True)
    if as_json:
        _print_json({"credentials": [], "error": {"what": error.what, "next_step": error.next_step}})
    return BAD_INPUT if isinstance(error, BadInput) else NEEDS_A_PERSON


def exit_status(outcomes: Sequence[Outcome]) -> int:
    """The worst of these outcomes, as exit status."""
    codes = {_code(outcome) for outcome in outcomes}
    return next((code for code in (NEEDS_A_PERSON, HEALS) if code in codes), DONE)


def _code(outcome: Outcome) -> int:
    if outcome.is_done:
        return DONE
    return HEALS if outcome.heals_by_itself and not outcome.waits_for else NEEDS_A_PERSON


def _print_json(document: Mapping[str, object]) -> None:
    """Indented for who looks at it; programs get it on one line, which is ten times as fast to write."""
    with answers() as out:
        out.write(json.dumps(document, indent=2 if out.isatty() else None))
        out.write("\n")


def _print_table(outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        return
    from rich.console import Console  # noqa: PLC0415 - slow, and only a table needs it
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False)
    table.add_column("credential", overflow="fold", max_width=_WIDEST_NAME)
    table.add_column("outcome", no_wrap=True)
    table.add_column("version", no_wrap=True)
    table.add_column("why, and what next", overflow="fold")
    for one in outcomes:
        next_step = one.next_step or _by_itself(one)
        what = f"{one.reason}\nNext: {next_step}" if next_step else one.reason
        version = "-" if one.version is None else str(one.version)
        colour = _COLOURS[_code(one)]
        table.add_row(
            Text(plain(one.name)), Text(one.outcome, style=colour), Text(version), Text(plain(what))
        )
    with answers() as out:
        Console(file=out, soft_wrap=False).print(table)


def _by_itself(outcome: Outcome) -> str:
    """When what only has to wait goes on."""
    if outcome.until is None:
        return ""
    when = f"{outcome.until:%Y-%m-%d %H:%M} UTC"
    return f"ask again from {when} on; where its policy has a schedule, a later run goes on by itself."


def _say_each(word: str, texts: Iterable[str]) -> None:
    for text in texts:
        click.echo(f"{word}: {plain(text)}", err=True)


def _sum_up(outcomes: Sequence[Outcome], wrong: Sequence[object]) -> None:
    """The last line, which is all that some people read."""
    counts = Counter(one.outcome for one in sorted(outcomes, key=lambda one: one.is_done))
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    parts = [": ".join(part for part in (counted(len(outcomes), "credential"), words) if part)]
    if wrong:
        parts.append(f"{counted(len(wrong), 'mistake')} to mend")
    click.echo("; ".join(parts), err=True)


def counted(count: int, noun: str) -> str:
    """`1 credential`, `2 credentials`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _sentences(what: str, next_step: str) -> str:
    return f"{what} {next_step}" if what.endswith((".", "?", "!")) else f"{what}. {next_step}"


def plain(text: str) -> str:
    """The text without anything that a terminal would obey."""
    return "".join(
        sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text
    )


def _texts(problems: Sequence[Problem]) -> list[str]:
    return [str(problem) for problem in problems]
