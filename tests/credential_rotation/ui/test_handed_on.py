"""Who has still to be given a new value, as the page tells it: after a rotation, and after each word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.journal.records import RecordName
from credential_rotation.model import Consumer, Strategy
from credential_rotation.outcome import Fact, Outcome, Shows, Step, told
from credential_rotation.planning.planning import Known
from credential_rotation.planning.status_rows import status_document
from credential_rotation.state.confirmations import Confirmation, Confirmations
from credential_rotation.state.history import Asked, keep_command, keep_status
from credential_rotation.ui.shelf import Shelf
from credential_rotation.ui.view import credential_rows, detail_view
from scenes.page.fleet import credential

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
LOOKER, TABLEAU = Consumer("manual", "Looker", "bi"), Consumer("manual", "Tableau")
ONE = replace(credential(7), consumers=(LOOKER, TABLEAU, Consumer("dag", "nightly_load")))
NEWEST = RecordName("id", ONE.name, 4, NOW - MINUTE, "a4")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The planners have looked: both wait for version 4."""
    found = {"ROTATION_STATE_PATH": str(tmp_path)}
    known = Known((NEWEST,), has_current=True, awaited=(LOOKER, TABLEAU))
    keep_status(found, "plan", status_document([ONE], {ONE.name: known}, problems=(), now=NOW))
    return found


@pytest.fixture
def shown(environ: dict[str, str]) -> Callable[[], dict[str, Any]]:
    """The detail, as the page asks for it."""
    shelf = Shelf(StateFolder(environ["ROTATION_STATE_PATH"]))

    def detail() -> dict[str, Any]:
        status, later = shelf.status(), NOW + 30 * MINUTE
        assert status is not None
        [row] = credential_rows(status, shelf.rows(later), {}, later)
        return detail_view(status["credentials"][0], row, ())

    return detail


def say(environ: dict[str, str], who: Consumer, version: int = 4, attempt: str = "a4") -> None:
    folder = StateFolder(environ["ROTATION_STATE_PATH"])
    Confirmations(folder).keep(ONE, (version, attempt), Confirmation(who.name, "anna", NOW))


def rotated(version: int, *, only_words: bool) -> Outcome:
    """A run after the planners' look, which people's words are missing from, and perhaps more."""
    at = NOW + 5 * MINUTE
    facts = (Fact(Shows.RECORDED, version), Fact(Shows.PROMOTED, version))
    steps = (*(Step(fact.shows.value, at, fact=fact) for fact in facts), Step("unproved", at))
    made = told(ONE, "unproved", "consumer manual Looker: waits for a person", version=version)
    return replace(made, steps=steps, only_words_missing=only_words)


def names(detail: dict[str, Any]) -> list[tuple[str, int]]:
    return [(one["consumer"], one["version"]) for one in detail["awaits"]]


def test_h3_each_has_what_its_button_says_and_the_command(shown: Callable[[], dict[str, Any]]) -> None:
    """Consumer and version: yesterday's page confirms nothing of today."""
    detail = shown()
    assert names(detail) == [("Looker", 4), ("Tableau", 4)]
    assert detail["awaits"][0]["who"] == "Looker (bi)"
    assert "say so: page Credentials or DAG record_by_hand" in detail["awaits"][0]["how"]
    assert detail["awaits"][0]["command"].endswith("confirm payments-read --consumer Looker --version 4")
    assert detail["state"]["word"] == "Waits for a person"


def test_h3_a_word_is_seen_at_once(environ: dict[str, str], shown: Callable[[], dict[str, Any]]) -> None:
    """Not with the next hourly run; a word for another version, or another journal's, is none."""
    say(environ, LOOKER, version=3)
    say(environ, LOOKER, attempt="of another journal")
    assert names(shown()) == [("Looker", 4), ("Tableau", 4)]
    say(environ, LOOKER)
    assert names(shown()) == [("Tableau", 4)]
    say(environ, TABLEAU)
    detail = shown()
    assert (detail["awaits"], detail["state"]["needs_person"]) == ([], False)


def test_h3_a_rotation_since_the_planners_looked_has_its_buttons_at_once(
    environ: dict[str, str], shown: Callable[[], dict[str, Any]]
) -> None:
    """Slack tells people within the minute to say so on the page."""
    say(environ, LOOKER)
    keep_command(environ, [ONE], [rotated(5, only_words=True)], Asked("schedule"), now=NOW + 5 * MINUTE)
    assert names(shown()) == [("Looker", 5), ("Tableau", 5)]
    say(environ, LOOKER, version=5, attempt="a5")
    assert names(shown()) == [("Tableau", 5)]


@pytest.mark.parametrize(("only_words", "word"), [(True, "Fine"), (False, "Not proved")])
def test_h3_what_only_words_were_missing_from_is_put_right_by_the_last_of_them(
    environ: dict[str, str], shown: Callable[[], dict[str, Any]], *, only_words: bool, word: str
) -> None:
    """In place no later run would; where an endpoint was not proved either, a run has to see to that."""
    outcome = rotated(5, only_words=only_words)
    keep_command(environ, [ONE], [outcome], Asked("schedule"), now=NOW + 5 * MINUTE)
    say(environ, LOOKER, version=5, attempt="a5")
    assert shown()["state"]["word"] == "Not proved"
    say(environ, TABLEAU, version=5, attempt="a5")
    assert shown()["state"]["word"] == word


def test_h3_a_version_that_no_run_saw_as_current_has_no_button(
    environ: dict[str, str], shown: Callable[[], dict[str, Any]]
) -> None:
    """It may have been begun only, and names do not tell: the last run says which one CURRENT holds."""
    before, pair = RecordName("id3", ONE.name, 3, NOW - timedelta(days=90), "a3"), Strategy.ALTERNATING
    known = Known((NEWEST, before), has_current=True, awaited=(LOOKER, TABLEAU))
    entry = replace(ONE, strategy=pair)
    keep_status(environ, "plan", status_document([entry], {ONE.name: known}, problems=(), now=NOW))
    assert len(names(shown())) == 2, "nobody knows"

    def ran(version: int, minutes: int) -> None:
        at = NOW - minutes * MINUTE
        outcome = replace(told(ONE, "failed", "an endpoint does not take it", version=version), steps=())
        keep_command(environ, [entry], [outcome], Asked("schedule"), now=at)

    ran(3, 2)
    assert names(shown()) == []
    assert shown()["state"]["word"] != "Waits for a person"
    ran(4, 1)
    assert names(shown()) == [("Looker", 4), ("Tableau", 4)]
