"""What is published and cannot be understood: told for a week, and held against nobody."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.readers.document import FOLDER
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.outcome import told
from credential_rotation.state.readers import PublishedReaders, with_readers
from scenes.readers.sides import current, document, reader
from simulators.scene import ETL
from simulators.world import World

PLACE = f"{FOLDER}/host-a-1"


def _unclear(world: World) -> dict[str, Any]:
    return {**reader("one", 3, world.now), "version": "three"}


def test_a_reader_that_is_not_understood_is_told_with_its_process(tmp_path: Path) -> None:
    """It is nobody to wait for: which version it read is not known."""
    folder, world = StateFolder(str(tmp_path)), World()
    folder.write(PLACE, document("host-a", world.now, _unclear(world)))
    found = PublishedReaders(folder, world.clock).of(current("one"))
    assert found.living == ()
    assert found.unknown == f"1 of the readers (process 4242) in {PLACE} cannot be understood"


@pytest.mark.parametrize("days", [6, 8])
def test_a_document_of_another_schema_goes_after_a_week_too(tmp_path: Path, days: int) -> None:
    """By what it says of when it was written."""
    folder, world = StateFolder(str(tmp_path)), World()
    written = (world.now - timedelta(days=days)).isoformat()
    folder.write(PLACE, {"schema": 2, "written": written})
    readers = PublishedReaders(folder, world.clock)
    assert ("cannot be understood" in readers.of(current("one")).unknown) == (days == 6)
    assert folder.names(FOLDER) == ([PLACE] if days == 6 else [])


@pytest.mark.parametrize("days", [6, 8])
@pytest.mark.parametrize("text", ['{"schema": 1, "hos', "", "[]", '{"schema": 2}'])
def test_one_that_does_not_say_when_it_was_written_goes_a_week_after_its_file(
    tmp_path: Path, text: str, days: int
) -> None:
    """Whoever wrote it writes every five minutes, or is gone; until then it is told."""
    folder, world = StateFolder(str(tmp_path)), World()
    folder.write(PLACE, {})
    file = tmp_path / f"{PLACE}.json"
    file.write_text(text)
    at = (world.now - timedelta(days=days)).timestamp()
    os.utime(file, (at, at))
    readers = PublishedReaders(folder, world.clock)
    assert PLACE in readers.documents()[1] or days == 8
    assert folder.names(FOLDER) == [PLACE], "who only looks removes nothing"
    assert (PLACE in readers.of(current("one")).unknown) == (days == 6)
    assert folder.names(FOLDER) == ([PLACE] if days == 6 else [])


@pytest.mark.parametrize("days", [6, 8])
@pytest.mark.parametrize("leads_to", ["aaa.json", "nowhere", "/proc/self/stat"])
def test_a_link_hides_no_other_document_and_goes_as_a_torn_one(
    tmp_path: Path, leads_to: str, days: int
) -> None:
    """Who else may write to the folder can plant one: its own age counts, not that of what it leads to."""
    folder, world = StateFolder(str(tmp_path)), World()
    folder.write(PLACE, document("host-a", world.now, reader("one", 3, world.now)))
    link = tmp_path / FOLDER / "aaa.json"
    link.symlink_to(leads_to)
    at = (world.now - timedelta(days=days)).timestamp()
    os.utime(link, (at, at), follow_symlinks=False)
    found = PublishedReaders(folder, world.clock).of(current("one"))
    assert [one.version for one in found.living] == [3]
    assert ("readers/aaa" in found.unknown) == link.is_symlink() == (days == 6)


def test_what_cannot_be_removed_hides_no_other_document(tmp_path: Path) -> None:
    """A folder with a document's name is none and goes by no deletion: it is told, the others are read."""
    folder, world = StateFolder(str(tmp_path)), World()
    folder.write(PLACE, document("host-a", world.now, reader("one", 3, world.now)))
    strange = tmp_path / FOLDER / "aaa.json"
    strange.mkdir()
    at = (world.now - timedelta(days=8)).timestamp()
    os.utime(strange, (at, at))
    found = PublishedReaders(folder, world.clock).of(current("one"))
    assert [one.version for one in found.living] == [3]
    assert found.unknown.startswith("readers/aaa: ")


def test_an_object_store_that_tells_no_dates_keeps_it_and_says_what_to_do() -> None:
    """Nobody knows how old it is."""
    folder, world = StateFolder("memory://state-undated"), World()
    folder.write(PLACE, {"schema": 2})
    assert PublishedReaders(folder, world.clock).of(current("one")).unknown.endswith("remove it")
    assert folder.names(FOLDER) == [PLACE]


def test_status_says_that_somebody_may_be_missing(tmp_path: Path) -> None:
    """Beside whoever is known; and nothing where all is understood."""
    folder, world = StateFolder(str(tmp_path)), World()
    readers, pair = PublishedReaders(folder, world.clock), (ETL, told(ETL, "ok", "version 3"))
    [known] = with_readers(readers, [pair], lambda _: "p")
    assert known.reason == "version 3"
    folder.write(PLACE, document("host-a", world.now, _unclear(world)))
    [unsure] = with_readers(readers, [pair], lambda _: "p")
    assert unsure.reason.startswith("version 3; readers unknown: 1 of the readers (process 4242)")
