"""Since when a version is in force: from when it became CURRENT, and a promise that was broken shows."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.audit.line import Seal
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.evidence.document import Evidence, document_of
from credential_rotation.evidence.evidence import JOURNAL, Told, Version, rotations_of, since
from credential_rotation.evidence.in_force import REPLACED, Place, place_of, terms_of
from credential_rotation.evidence.page import page
from credential_rotation.evidence.seal import sealed
from credential_rotation.outcome import Outcome
from credential_rotation.state.history import Asked, keep_outcome
from simulators.scene import ETL, Scene
from simulators.world import Crash, Fault

SOON = timedelta(minutes=30)
"""Before the promise breaks."""


class Kept:
    """A credential whose attempts leave their documents in a state folder."""

    def __init__(self, path: Path) -> None:
        self.scene = Scene()
        self.folder = StateFolder(str(path))
        self.keep(self.scene.tick())

    def keep(self, outcome: Outcome) -> Outcome:
        environ = {"ROTATION_STATE_PATH": self.folder.path}
        keep_outcome(environ, ETL, outcome, Asked(by="schedule"), now=self.scene.world.now)
        return outcome

    def calls_until(self, name: str) -> int:
        """The number of that call of the next rotation, as a twin of this one makes it."""
        twin = Scene()
        twin.tick()
        before = len(twin.world.calls)
        twin.rotate_now()
        return len(self.scene.world.calls) + 1 + twin.world.calls[before:].index(name)

    def begin_in_vain(self) -> None:
        """Version 2 is recorded half an hour before version 1 is too old, and its apply never lands."""
        scene = self.scene
        scene.world.pass_time(timedelta(days=90) - SOON)
        scene.world.fault = Fault(self.calls_until("target: apply"), "late", lands=10**6)
        assert self.keep(scene.rotate_now()).outcome == "failed"
        scene.world.fault = None
        scene.world.late.clear()
        scene.target.in_flight = 0

    def documents(self) -> list[dict[str, Any]]:
        names = self.folder.names(f"history/{ETL.name}")
        return [one for one in map(self.folder.read, names) if one]

    def shown(self, *, asks_the_vault: bool) -> dict[str, Any]:
        """The document, from the folder alone or with what Bitwarden tells beside it."""
        stored = self.scene.vault.look()
        versions = [Version(one.epoch, one.written.isoformat(), JOURNAL) for one in stored.records]
        current = stored.own.epoch if stored.own else None
        told = Told(self.documents(), versions, current=current)
        found = rotations_of(told if asks_the_vault else Told(self.documents()))
        evidence = Evidence(ETL.name, {}, self.scene.world.now, "anna", None, found, ())
        return document_of(evidence)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


@pytest.mark.parametrize("asks_the_vault", [True, False])
def test_what_is_only_recorded_is_not_in_force_and_hides_no_broken_promise(
    kept: Kept, *, asks_the_vault: bool
) -> None:
    """Version 1 is CURRENT, five days past its limit, while version 2 lies in the journal."""
    kept.begin_in_vain()
    kept.scene.target.down = True
    kept.scene.world.pass_time(timedelta(days=5))
    assert kept.keep(kept.scene.tick()).outcome == "failed"
    document = kept.shown(asks_the_vault=asks_the_vault)
    told = document["summary"]
    assert (told["in_force"], told["late"], told["longest_days"]) == (1, [1], 94)
    assert told["versions"] == 1
    assert told["recorded_only"] == ([2] if asks_the_vault else [])
    text = page(sealed(document, Seal()))
    assert "Version 1 is in force since" in text
    assert ("Version 2 <span class=look>recorded, not in force" in text) is asks_the_vault


def test_what_became_current_too_late_was_late(kept: Kept) -> None:
    """Recorded in time is not replaced in time: the value before was in use until the promote."""
    kept.begin_in_vain()
    kept.scene.world.pass_time(timedelta(days=20))
    assert kept.keep(kept.scene.tick()).outcome == "recovered"
    document = kept.shown(asks_the_vault=False)
    _, first, second = document["rotations"]
    assert (document["summary"]["in_force"], document["summary"]["late"]) == (2, [1])
    assert first["replaced"] == second["in_force"] == document["summary"]["in_force_since"]
    assert first["replaced"] > first["limit"]
    assert [one["standing"] for one in document["rotations"]] == ["replaced", "replaced", "in force"]


def test_what_a_killed_attempt_made_current_is_in_force_once_it_was_found(kept: Kept) -> None:
    """It left no document; the next attempt's says whose value CURRENT was."""
    scene = kept.scene
    scene.world.pass_time(timedelta(days=30))
    scene.world.fault = Fault(kept.calls_until("vault: write CURRENT"), "crash after")
    with pytest.raises(Crash):
        scene.rotate_now()
    scene.world.fault = None
    scene.world.pass_time(timedelta(hours=1))
    assert kept.keep(scene.tick()).version == 2
    scene.world.pass_time(timedelta(days=100))
    document = kept.shown(asks_the_vault=False)
    _, first, second = document["rotations"]
    assert (document["summary"]["in_force"], document["summary"]["late"]) == (2, [])
    assert first["replaced"] == second["in_force"]
    assert "an attempt found it to be CURRENT" in second["gaps"][0]


def test_since_keeps_the_version_that_was_current_and_not_the_one_that_was_recorded(kept: Kept) -> None:
    """An auditor's period begins between record and promote."""
    kept.begin_in_vain()
    day = kept.scene.world.now + timedelta(days=1)
    kept.scene.world.pass_time(timedelta(days=20))
    kept.keep(kept.scene.tick())
    assert [one.version for one in since(rotations_of(Told(kept.documents())), day)] == [1, 2]


def test_a_version_of_which_only_its_record_is_known_is_not_said_to_be_in_force() -> None:
    """Neither the state folder nor CURRENT could be asked."""
    [found] = rotations_of(Told((), [Version(7, "2026-11-25T12:00:00+00:00", JOURNAL)]))
    evidence = Evidence(
        ETL.name, {}, datetime.fromisoformat("2026-11-26T12:00:00+00:00"), "a", None, [found], ()
    )
    document = document_of(evidence)
    assert document["summary"]["in_force"] is None
    assert "Which version is in force is not on record" in page(sealed(document, Seal()))


def noted(*versions: tuple[int, str]) -> dict[int, str]:
    return {version: f"2026-11-25T{at}:00+00:00" for version, at in versions}


def became(*versions: tuple[int, str]) -> list[tuple[int, str]]:
    return [(version, f"2026-11-25T{at}+00:00") for version, at in versions]


def found(version: int, at: str) -> dict[str, Any]:
    return {"version": version, "attempt": "a", "at": f"2026-11-25T{at}+00:00"}


TERMS: dict[str, tuple[Any, ...]] = {
    "one after the other": (became((1, "10:00:00"), (2, "11:00:00")), [], {}, None, [1, 2]),
    "one that came back": (
        became((1, "10:00:00"), (2, "11:00:00"), (1, "12:00:00")), [], {}, 1, [1, 2, 1],
    ),
    "the note knows one that the folder lost": (
        became((1, "10:00:00"), (3, "12:00:00")), [], noted((2, "11:00")), 3, [1, 2, 3],
    ),
    "the note's minute began before what came first in it": (
        became((1, "10:00:10")), [], noted((2, "10:00")), 2, [1, 2],
    ),
    "who looked before the promote and ended after it": (
        became((1, "10:00:00"), (2, "11:00:00")), [found(1, "11:00:01")], {}, None, [1, 2],
    ),
    "found, and nobody knows since when": (
        became((1, "10:00:00")), [found(2, "12:00:00"), found(2, "11:00:00")], {}, None, [1, 2],
    ),
    "the vault says otherwise": (became((1, "10:00:00")), [], {}, 2, [1, 2]),
    "nothing is known": ([], [], {}, None, []),
}  # fmt: skip


@pytest.mark.parametrize("case", TERMS)
def test_who_was_current_one_after_the_other(case: str) -> None:
    """From moments that were kept, from the note's minutes, from what attempts found, from the vault."""
    moments, outcomes, minutes, current, versions = TERMS[case]
    assert [term.version for term in terms_of(moments, outcomes, minutes, current)] == versions


SINCE: dict[str, tuple[Any, ...]] = {
    "the first attempt that found it": (
        [], [found(2, "11:00:00"), found(2, "12:00:00")], {}, [(2, "11:00:00")],
    ),
    "who only tells of a version has not found it": (
        became((1, "10:00:00")), [{**found(2, "11:00:00"), "attempt": ""}], {}, [(1, "10:00:00")],
    ),
    "in the note's minute, after the one before and not after the one that came next": (
        became((1, "10:00:10"), (3, "10:00:50")), [], noted((2, "10:00")),
        [(1, "10:00:10"), (2, "10:00:10"), (3, "10:00:50")],
    ),
    "the note's minute, whatever came back later": (
        became((1, "09:00:00"), (1, "12:00:00")), [], noted((2, "10:00")),
        [(1, "09:00:00"), (2, "10:00:00"), (1, "12:00:00")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SINCE)
def test_since_when_each_was(case: str) -> None:
    """A later moment would hide a promise that was broken."""
    moments, outcomes, minutes, known = SINCE[case]
    terms = terms_of(moments, outcomes, minutes, None)
    assert [(term.version, term.since) for term in terms] == became(*known)


def test_what_a_version_replaced_and_what_replaced_it() -> None:
    """Also of one that came back, and of one of which nobody knows that it was in force."""
    terms = terms_of(became((1, "10:00:00"), (3, "11:00:00"), (1, "12:00:00")), [], {}, None)
    [_, second, third] = [term.since for term in terms]
    assert place_of(3, terms) == Place(REPLACED, second, third, before=1)
    assert place_of(1, terms).before == 3
    assert place_of(2, terms[:2]) == Place(replaced=second)
    assert place_of(1, terms[:2]).before is None
