"""What a person sees in a terminal, and what the last line and the exit status say of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from credential_rotation.checks.check import Report
from credential_rotation.cli import output
from credential_rotation.errors import BadInput, VaultTrouble
from credential_rotation.inventory.inventory import Problem
from credential_rotation.outcome import DONE, Outcome, told
from simulators.scene import ETL

LONG = (
    "the server does not change the password of etl (SQLSTATE 42501), and here is much more to read about it"
)


def outcome(word: str, name: str = "etl", reason: str = "why", next_step: str = "") -> Outcome:
    return told(replace(ETL, name=name), word, reason, next_step=next_step)


def seen(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    """The lines of both streams, as a person sees them."""
    captured = capsys.readouterr()
    return [line.rstrip() for line in captured.out.splitlines()], captured.err.splitlines()


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.usefixtures("narrow")
def test_a_line_of_its_own_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """The remedy is found without reading the reason; done ones need one line."""
    outcomes = [replace(outcome("rotated", "bi"), version=12), outcome("failed", "etl", LONG, "GRANT it.")]
    output.show(outcomes, (), as_json=False)
    lines, _ = seen(capsys)
    assert lines == [
        "credential  outcome  version  why, and what next",
        "bi          rotated  12       why",
        "etl         failed   -        the server does not change the password of etl",
        "                              (SQLSTATE 42501), and here is much more to read",
        "                              about it",
        "                              Next: GRANT it.",
    ]


def test_what_waits_says_until_when(capsys: pytest.CaptureFixture[str]) -> None:
    """So that nobody tries again every minute."""
    until = datetime(2026, 11, 25, 13, 5, 59, tzinfo=timezone.utc)
    output.show([replace(outcome("waiting"), until=until)], (), as_json=False)
    lines, _ = seen(capsys)
    told_next = " ".join(line.strip() for line in lines[2:])
    assert told_next == (
        "Next: ask again from 2026-11-25 13:05 UTC on; where its policy has a schedule, a later run goes on "
        "by itself."
    )


@pytest.mark.usefixtures("narrow")
def test_a_long_name_takes_no_room_from_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """It is folded, never cut off; outcome and version stay on one line."""
    output.show([outcome("unchanged", "a" * 70)], (), as_json=False)
    lines, _ = seen(capsys)
    assert lines[1].split() == ["a" * 30, "unchanged", "-", "why"]
    assert "".join(line.strip() for line in lines[2:]) == "a" * 40


@pytest.mark.parametrize(
    ("columns", "lines"), [("80", 4), ("120", 3), ("300", 2)], ids=["80 columns", "120 columns", "wide"]
)
def test_a_wider_terminal_is_used(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str, lines: int
) -> None:
    """Nothing is wrapped that need not be."""
    monkeypatch.setenv("COLUMNS", columns)
    output.show([outcome("failed", "etl", LONG)], (), as_json=False)
    out, _ = seen(capsys)
    assert len(out) == lines
    assert all(len(line) <= int(columns) for line in out)


def test_the_last_line_counts_the_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    """It is all that some people read."""
    words = ["rotated", "rotated", "busy", "failed", "unchanged"]
    output.show([outcome(word, f"c{n}") for n, word in enumerate(words)], (), as_json=False)
    assert seen(capsys)[1] == ["5 credentials: 1 busy, 1 failed, 2 rotated, 1 unchanged"]


def test_one_is_one_and_none_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """In words that a person would use."""
    output.show([outcome("rotated")], (), as_json=False)
    output.show([], (Problem("a.yaml", 3, "etl", "no owner"),), as_json=False)
    assert seen(capsys)[1] == [
        "1 credential: 1 rotated",
        "wrong: a.yaml:3: etl: no owner",
        "0 credentials; 1 mistake to mend",
    ]


def test_no_text_can_make_the_terminal_obey(capsys: pytest.CaptureFixture[str]) -> None:
    """Names come from other systems: no colour, no link, no cursor, no markup."""
    nasty = "\x1b[31mred\x1b]8;;http://evil\x07 [bold]b[/bold] \r\x9b2J"
    output.show([outcome("failed", "etl", nasty, nasty)], (), as_json=False)
    output.show_error(BadInput(nasty, next_step=nasty), as_json=False)
    out, err = seen(capsys)
    assert "[bold]b[/bold]" in "".join(out)
    assert all(line.isprintable() for line in (*out, *err))


def test_a_document_holds_any_text(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON escapes what a terminal would obey, and a program reads it back as it was."""
    output.show([outcome("failed", "etl", "\x1b[31mrot röt")], (), as_json=True)
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out)["credentials"][0]["reason"] == "\x1b[31mrot röt"


STATUS = {
    "all done": ([], 0),
    "one heals": (["busy"], 3),
    "one waits": (["waiting"], 3),
    "one needs a person, one heals": (["busy", "broken"], 1),
    "one is unproved": (["unproved"], 1),
    "one was refused": (["refused"], 1),
    "one failed": (["failed"], 1),
    "a word that nobody knows needs a person": (["exploded"], 1),
}


@pytest.mark.parametrize("case", STATUS)
def test_the_exit_status_follows_the_worst_outcome(case: str) -> None:
    """Beside any number of good ones."""
    words, status = STATUS[case]
    assert output.exit_status([outcome(word) for word in (*DONE, *words)]) == status


PROBLEM = Problem("a.yaml", 3, "etl", "no owner")
CHECKS = {
    "nothing is wrong": (Report((outcome("ok"),), (), (), ("a note",)), 0),
    "a credential is broken": (Report((outcome("broken"),), (), (), ()), 1),
    "a project cannot be written": (Report((), (), (VaultTrouble("x", next_step="y"),), ()), 1),
    "a setting is wrong": (Report((), (), (BadInput("x", next_step="y"),), ()), 2),
    "an entry is wrong": (Report((outcome("broken"),), (PROBLEM,), (), ()), 2),
}


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "words"])
@pytest.mark.parametrize("case", CHECKS)
def test_the_exit_status_of_a_check(case: str, as_json: bool) -> None:  # noqa: FBT001 - a case
    """Notes change nothing; bad input wins, because the rest cannot be told before it is mended."""
    report, status = CHECKS[case]
    assert output.show_check(report, as_json=as_json) == status


def test_an_error_is_what_and_what_next(capsys: pytest.CaptureFixture[str]) -> None:
    """Two lines; with JSON the document says it too, with no credential in it."""
    error = VaultTrouble("no connection", next_step="Try again.")
    assert output.show_error(error, as_json=True) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {
        "credentials": [],
        "error": {"what": "no connection", "next_step": "Try again."},
    }
    assert captured.err == "no connection\nTry again.\n"


def test_a_question_mark_ends_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """No full stop is put behind it."""
    mistakes = (BadInput("was it cut off?", next_step="Mend it."), BadInput("it broke", next_step="Mend it."))
    output.show_check(Report((), (), mistakes, ()), as_json=False)
    assert seen(capsys)[1][:2] == ["wrong: was it cut off? Mend it.", "wrong: it broke. Mend it."]
