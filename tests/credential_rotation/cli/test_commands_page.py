"""docs/commands.md names every command, and every way in which one can end with its exit status."""

from __future__ import annotations

import re

import pytest

from credential_rotation.cli.main import main
from credential_rotation.cli.output import exit_status
from credential_rotation.outcome import DONE, HEALS_BY_ITSELF, told
from sandbox.places import ROOT
from simulators.scene import ETL

PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
WORDS = sorted({*DONE, *HEALS_BY_ITSELF, "unproved", "broken", "failed", "refused"})


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_a_row(command: str) -> None:
    """Whoever looks for one finds it."""
    assert re.search(rf"^\| `{command}[ `]", PAGE, re.MULTILINE)


@pytest.mark.parametrize("word", WORDS)
def test_every_outcome_has_a_row_with_its_exit_status(word: str) -> None:
    """Scripts go by both."""
    [row] = [line for line in PAGE.splitlines() if re.match(rf"\| [^|]*`{word}`", line)]
    assert row.rstrip(" |").endswith(str(exit_status([told(ETL, word, "")])))


@pytest.mark.parametrize("field", sorted(told(ETL, "ok", "").as_dict()))
def test_every_field_of_an_outcome_is_explained(field: str) -> None:
    """As `--json` has it."""
    assert re.search(rf"^\| [^|]*`{field}`", PAGE, re.MULTILINE)
