"""People's words in their folder: asked for under a lock, which neither a hang nor nonsense may hold up."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.errors import StateTrouble
from credential_rotation.model import Consumer
from credential_rotation.state.confirmations import FOLDER, Confirmation, Confirmations
from simulators.scene import PAIR

LOOKER = Consumer("manual", "Looker", "bi")
TABLEAU = Consumer("manual", "Tableau")
ENTRY = replace(PAIR, consumers=(Consumer("dag", "load"), LOOKER, TABLEAU))
VERSION = (7, "a1b2")
WORD = Confirmation("Looker", "anna (command line)", datetime(2026, 11, 27, 3, tzinfo=timezone.utc))


def test_h3_a_word_is_about_one_consumer_and_one_version(tmp_path: Path) -> None:
    """Not about the same number of another journal, nor about another entry."""
    kept = Confirmations(StateFolder(str(tmp_path)))
    kept.keep(ENTRY, VERSION, WORD)
    assert kept.of(ENTRY, VERSION).awaited(ENTRY) == (TABLEAU,)
    others = [(ENTRY, (8, "a1b2")), (ENTRY, (7, "ffff")), (replace(ENTRY, name="another"), VERSION)]
    for entry, version in others:
        assert kept.of(entry, version).awaited(entry) == (LOOKER, TABLEAU)


def test_h3_a_folder_that_hangs_is_given_up_and_nothing_was_said(tmp_path: Path) -> None:
    """The attempt that asks holds a lock."""
    end = threading.Event()

    class Hanging(StateFolder):
        def names(self, folder: str) -> list[str]:
            end.wait(30)
            return super().names(folder)

    said = Confirmations(Hanging(str(tmp_path)), within=0.05).of(ENTRY, VERSION)
    end.set()
    assert said.awaited(ENTRY) == (LOOKER, TABLEAU)
    assert "has not answered for 0.05 s" in said.unknown


def test_h3_a_word_that_cannot_be_kept_is_an_error_and_no_warning() -> None:
    """Whoever says it has to know that nobody will find it."""
    with pytest.raises(StateTrouble, match="could not be kept"):
        Confirmations(StateFolder("/proc/nowhere")).keep(ENTRY, VERSION, WORD)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"at": "yesterday"}', '{"version": "7"}'])
def test_h3_a_document_that_makes_no_sense_says_nothing(tmp_path: Path, text: str) -> None:
    """And keeps none of the others from being read."""
    kept = Confirmations(StateFolder(str(tmp_path)))
    kept.keep(ENTRY, VERSION, WORD)
    (tmp_path / FOLDER / ENTRY.name / "000007-a1b2-zz.json").write_text(text)
    assert kept.of(ENTRY, VERSION).awaited(ENTRY) == (TABLEAU,)
