"""Every alert that the code can send has its entry in docs/runbook.md: what it means, and what to do."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator

import pytest

from credential_rotation.alerts.message import run_message
from credential_rotation.alerts.situation import CHECK, REVOCATION, needs_a_person, situation
from credential_rotation.inventory.inventory import Inventory, Problem
from credential_rotation.journal.records import RecordName
from credential_rotation.outcome import OutcomeDict
from credential_rotation.planning.orphans import orphans
from sandbox.places import PLUGINS, ROOT
from scenes.inventory.reminders import lines
from simulators.scene import START

OUTCOMES = ("failed", "unproved", "broken", "refused", "waiting", "busy")
ANSWERS = (None, "works", "refused", "unknown")
TELLERS = (
    "bitwarden_vault/token_remarks.py",
    *(
        f"credential_rotation/{name}.py"
        for name in (
            "planning/watchdog",
            "planning/exceptions_told",
            "tasks/unused",
            "tasks/waiting_lanes",
            "tasks/watch",
        )
    ),
)
"""Where the digest's lines are made: what is yielded, and the second argument of each `Finding`."""


def entries() -> list[tuple[str, re.Pattern[str]]]:
    """The phrases of the runbook's first columns; `…` and N stand for what differs."""
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    first = [line.split("|")[1] for line in text.splitlines() if line.startswith("| *")]
    phrases = [phrase for cell in first for phrase in re.findall(r"\*([^*]+)\*", cell)]
    return [(one, _pattern(one)) for one in phrases]


def _pattern(phrase: str) -> re.Pattern[str]:
    parts = re.split(r"(…|\bN\b)", phrase)
    return re.compile("".join(".*" if part in {"…", "N"} else re.escape(part) for part in parts), re.DOTALL)


def is_in_the_runbook(text: str) -> bool:
    return any(pattern.search(text) for _, pattern in entries())


def headlines() -> Iterator[str]:
    """Of every outcome that a person is told, whatever still works and whatever was done."""
    for word, old, new, engine, work in itertools.product(
        OUTCOMES, ANSWERS, ANSWERS, ("postgres", "aws_iam"), ("rotation", "retirement", CHECK, REVOCATION)
    ):
        outcome: OutcomeDict = {
            "name": "etl", "engine": engine, "strategy": "in_place", "outcome": word, "version": 1,
            "reason": "", "next_step": "", "until": None, "attempt": "", "old_value": old, "new_value": new,
            "consumers": [], "steps": [],
        }  # fmt: skip
        if needs_a_person(outcome, work) or word in {
            "waiting",
            "busy",
        }:  # these, where it was asked for by hand
            yield situation(outcome, work).words
    for missing in (["a"], []):
        message = run_message(planned=2, missing=missing, link=None, deployment=None, run="r")
        yield message.text.splitlines()[0]


def digest_lines() -> Iterator[tuple[str, str]]:
    """Every line that the digest can have, with what differs left out, and where it is made."""
    for name in TELLERS:
        for node in ast.walk(ast.parse((PLUGINS / name).read_text(encoding="utf-8"))):
            told = _told(node)
            if told is not None:
                yield f"{name}:{getattr(node, 'lineno', 0)}", _text(told)


def _told(node: ast.AST) -> ast.expr | None:
    if isinstance(node, ast.Yield):
        return node.value
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding" and len(node.args) > 1:
        return node.args[1]
    return None


def _text(node: ast.expr) -> str:
    """The words of a text in the code; a variable's are empty, and made elsewhere."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "#" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@pytest.mark.parametrize("headline", sorted(set(headlines())))
def test_every_headline_has_an_entry(headline: str) -> None:
    """Whoever is woken by it finds what it means, and what to do."""
    assert is_in_the_runbook(headline)


@pytest.mark.parametrize(("where", "line"), [one for one in digest_lines() if one[1].strip("# ")])
def test_every_line_of_the_digest_has_an_entry(where: str, line: str) -> None:
    """Also one that is added later."""
    assert is_in_the_runbook(line), f"{where} tells what docs/runbook.md does not explain"


@pytest.mark.parametrize("line", sorted(set(lines())))
def test_every_reminder_has_an_entry(line: str) -> None:
    """What a person has to do by hand, in the words that they are reminded with."""
    assert is_in_the_runbook(line)


@pytest.mark.parametrize("problems", [(), (Problem("b.yaml", 1, "", "no YAML"),)], ids=["read", "unread"])
def test_records_of_nobody_have_an_entry(problems: tuple[Problem, ...]) -> None:
    """Also where an entry's file cannot be read."""
    [line] = orphans([RecordName("id", "gone", 1, START, "a1")], Inventory((), problems))
    assert is_in_the_runbook(line)


def test_the_digest_is_found_where_it_is_made() -> None:
    """Should its lines move, this file has to follow."""
    lines = [line for _, line in digest_lines()]
    for known in ("never rotated", "overdue since", "stuck:", "is paused", "expires on", "exception"):
        assert any(known in line for line in lines), known


def test_every_entry_says_what_to_do() -> None:
    """No row of the runbook is without an answer."""
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| *")]
    assert len(rows) > 20
    assert all(all(cell.strip() for cell in row.strip("| ").split(" | ")) for row in rows)
