"""The state folder is shared: nothing in it keeps the page, or evidence, from telling what the others say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.evidence.kept import evidence_kept
from credential_rotation.evidence.page import page
from credential_rotation.model import Consumer
from credential_rotation.outcome import Fact, Outcome, Shows, Step, told
from credential_rotation.planning.planning import Known
from credential_rotation.planning.status_rows import status_document
from credential_rotation.state.approvals import Question, QuestionBook
from credential_rotation.state.confirmations import Confirmation, Confirmations
from credential_rotation.state.history import Asked, keep_outcome, keep_run, keep_status
from credential_rotation.ui import view
from credential_rotation.ui.shelf import Shelf
from scenes.readers.sides import document, reader
from simulators.scene import ETL

NOW = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
SPOILED = replace(ETL, consumers=(Consumer("manual", "Looker"),), tags=("nightly",))
OTHER = replace(ETL, name="other")
MARKUP = "<script>alert(1)</script>"
NEVER = "9999-12-31T23:59:59+00:00"
NUMBERS = ("1e999", "NaN")
"""Without quotes; Python takes them for numbers, and no browser does."""
STRANGE: tuple[object, ...] = (MARKUP, None, [], {}, [[]], 10**30, -1, True, NEVER, "\ud800", *NUMBERS)

Path_ = tuple[Any, ...]


def within(found: Any, at: Path_ = ()) -> Iterator[Path_]:  # noqa: ANN401 - JSON
    members = (
        found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    )
    for name, one in members:
        yield (*at, name)
        yield from within(one, (*at, name))


def spoiled(document: Any, at: Path_, strange: object) -> str:  # noqa: ANN401 - JSON
    document = place = deepcopy(document)
    for name in at[:-1]:
        place = place[name]
    place[at[-1]] = strange
    text = json.dumps(document)
    return text.replace(f'"{strange}"', str(strange)) if strange in NUMBERS else text


def rotated() -> Outcome:
    steps = [
        Step("recorded", NOW, "version 3", Fact(Shows.RECORDED, 3)),
        Step("promoted", NOW, "version 3 is CURRENT", Fact(Shows.PROMOTED, 3)),
        Step("rotated", NOW, "version 3 is CURRENT, and proved"),
    ]
    return replace(told(SPOILED, "rotated", "proved"), version=3, steps=tuple(steps))


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    environ, asked = {"ROTATION_STATE_PATH": str(tmp_path)}, Asked(by="kim", dag_id="rotate", run_id="r1")
    entries, known = [SPOILED, OTHER], {"other": Known((), has_current=True)}
    known[SPOILED.name] = known["other"]
    keep_status(environ, "rotate", status_document(entries, known, problems=[], now=NOW))
    keep_outcome(environ, SPOILED, rotated(), asked, now=NOW)
    keep_run(environ, asked, [rotated().as_dict()], now=NOW)
    folder = StateFolder(str(tmp_path))
    QuestionBook(folder).keep(Question(SPOILED.name, NOW, NOW + HOUR, NOW + HOUR, "kim", "r1", link="x"))
    Confirmations(folder).keep(SPOILED, (3, "a3"), Confirmation("Looker", "kim", NOW))
    folder.write(
        "readers/host-a", document("host-a", NOW, {**reader("id", 3, NOW), "key": SPOILED.vault.key})
    )
    return folder


def shown(state: StateFolder) -> list[str]:
    """Whom the page lists, as JSON that browsers take; each is looked at, too."""
    shelf = Shelf(state)
    status, rows, readers = shelf.status(), shelf.rows(NOW), view.readers_by_place(shelf.readers(), NOW)
    listed = view.list_view(status, rows, readers, NOW)
    json.dumps(listed, allow_nan=False)
    for one in (status or {"credentials": ()})["credentials"]:
        [row] = view.credential_rows({**(status or {}), "credentials": [one]}, rows, readers, NOW)
        json.dumps(view.detail_view(one, row, shelf.outcomes(one["name"])), allow_nan=False)
    return [one["name"] for one in listed["credentials"]]


@pytest.mark.parametrize("kind", ["status", "history", "runs", "approvals", "confirmations", "readers"])
def test_nothing_that_stands_in_a_document_stops_the_page_or_evidence(state: StateFolder, kind: str) -> None:
    [file] = (Path(state.path) / kind).rglob("*.json")
    whole = json.loads(file.read_text())
    for at in within(whole):
        for strange in STRANGE:
            file.write_text(spoiled(whole, at, strange))
            text = page(evidence_kept(state, SPOILED.name, now=NOW, by="kim"))
            assert MARKUP not in text, at
            is_usable = strange not in NUMBERS and at not in (("credentials",), ("written",))
            assert ("other" in shown(state)) or not is_usable or at[:2] == ("credentials", 1), (at, strange)


def test_an_entry_that_is_left_out_is_named(state: StateFolder) -> None:
    """Silence would look like an inventory without it."""
    [file] = (Path(state.path) / "status").rglob("*.json")
    file.write_text(spoiled(json.loads(file.read_text()), ("credentials", 0, "policy"), MARKUP))
    listed = view.list_view(Shelf(state).status(), [], {}, NOW)
    assert [one["name"] for one in listed["credentials"]] == ["other"]
    assert listed["problems"] == [f"{SPOILED.name}: what is kept of it cannot be used"]
