"""What an agent keeps of readers, and what it takes over from the dead, without an agent."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.readers import table as reader_table
from bitwarden_vault.readers.document import SILENT_AFTER, read_document
from bitwarden_vault.readers.processes import boot, numbers, started_at
from bitwarden_vault.readers.publish import carry_out
from bitwarden_vault.readers.table import ReaderTable, version_of
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.state.readers import PublishedReaders
from scenes.readers.living import note
from scenes.readers.sides import published, reader

SECRET = {"id": "A1", "key": "warehouse", "project_id": "P1", "note": note(3), "value": "v"}
NOBODY = 4_194_305
"""No pid: the kernel's limit is below."""


@pytest.mark.parametrize("text", ["", "-1", "3.0", "x", "9" * 10, "\N{SUPERSCRIPT THREE}"])
def test_what_is_no_version_is_none(text: str) -> None:
    """A person's note may say anything."""
    assert version_of({**SECRET, "note": note(text)}) is None


def test_a_process_that_cannot_be_seen_is_kept_by_what_it_says() -> None:
    """In another container its number is 0: two tasks are two, and one that reads twice is one."""
    table = ReaderTable()
    for task in ("load", "load", "report"):
        table.note(SECRET, 3, 0, {"dag_id": "nightly", "task_id": task})
    table.prune()
    assert [one["task"] for one in table.entries()] == ["load", "report"]


def test_a_process_keeps_the_oldest_version_that_it_read_and_what_is_new_is_published() -> None:
    """It may still hold that one; who reads the same again changes nothing."""
    table, told = ReaderTable(), list[tuple[int, int, bool]]()
    for version in (3, 3, 4, 2):
        table.has_changed = False
        table.note({**SECRET, "note": ""}, version, os.getpid(), {})
        [one] = table.entries()
        told.append((one["version"], one["newest"], table.has_changed))
        table.uses.due(time.monotonic())  # as each batch takes them
    assert told == [(3, 3, True), (3, 3, False), (3, 4, True), (2, 4, True)]


@pytest.mark.parametrize(("own", "dead"), [(3, 2), (2, 3)])
def test_of_a_reader_whom_two_agents_knew_the_oldest_version_counts(own: int, dead: int) -> None:
    """It asked the one for version 2 and the other for version 3, and may hold both."""
    table = ReaderTable()
    table.note(SECRET, own, os.getpid(), {})
    table.take_over([{**_me(datetime.now(timezone.utc)), "version": dead}], 0)
    assert [one["version"] for one in table.entries()] == [2]


def test_who_was_gone_before_its_answer_was_noted_is_no_reader() -> None:
    table = ReaderTable()
    table.note(SECRET, 3, NOBODY, {})
    assert len(table) == 0


def test_whom_there_is_no_room_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out in silence."""
    monkeypatch.setattr(reader_table, "MOST_READERS", 2)
    table = ReaderTable()
    for number in range(5):
        table.note({**SECRET, "id": str(number)}, 3, os.getpid(), {})
    assert (len(table), table.left_out) == (2, 3)


def test_those_who_were_left_out_are_counted_until_all_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them may be whom nobody knows; afterwards all are known again."""
    monkeypatch.setattr(reader_table, "MOST_READERS", 1)
    table = ReaderTable()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as task:
        for number in range(3):
            table.note({**SECRET, "id": str(number)}, 3, task.pid, {})
        table.prune()
        assert (len(table), table.left_out) == (1, 2)
        task.communicate()
    table.prune()
    assert (len(table), table.left_out) == (0, 0)


def test_versions_have_half_the_room_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where thousands of values are read that nobody rotates, those that are rotated still find room."""
    monkeypatch.setattr(reader_table, "MOST_READERS", 4)
    table = ReaderTable()
    for version in (None, 3):
        for number in range(3):
            table.note({**SECRET, "id": f"{version}-{number}"}, version, os.getpid(), {})
    assert [one["version"] for one in table.entries()] == [0, 0, 3, 3]
    assert table.left_out == 2


@pytest.mark.parametrize(("said", "kept"), [("2nd", None), ("2", 2), (2, 2), ("9" * 5000, None)])
def test_a_try_that_is_no_number_is_not_claimed(said: object, kept: int | None) -> None:
    """Other hosts read the document: one odd claim in it must not hide who else reads."""
    table = ReaderTable()
    table.note(SECRET, 3, os.getpid(), {"dag_id": "nightly", "try_number": said})
    assert [(one["dag"], one.get("try")) for one in table.entries()] == [("nightly", kept)]


def test_of_a_process_that_first_asked_for_others_and_then_for_itself_it_is_a_reader() -> None:
    """The remote-log connection stays in an api-server, whatever it asks for beside."""
    table = ReaderTable()
    for more in ({"hands_on": True}, {}):
        table.note(SECRET, 3, os.getpid(), more)
    assert [one.get("hands_on") for one in table.entries()] == [None]


def _order(path: Path, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    here = _document(datetime.now(timezone.utc), agent=os.getpid(), agent_started=started_at(os.getpid()))
    order = {"path": str(path), "environ": {}, "name": "readers/host-a-own", "is_there": False}
    return {**order, "document": here, **changed}


def _document(written: datetime, *readers: dict[str, Any], **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    said = {"schema": 1, "host": "host-a", "boot": boot(), "numbers": numbers(), "agent": NOBODY}
    more = {"agent_started": 1, "written": written.isoformat(), "left_out": 0, "readers": list(readers)}
    return {**said, **more, **changed}


def _me(at: datetime) -> dict[str, Any]:
    return {**reader("a1", 3, at, os.getpid()), "started": started_at(os.getpid())}


def test_of_the_dead_agents_of_this_host_those_who_live_are_taken_over(tmp_path: Path) -> None:
    """Who ended is left out, and another host's documents are left alone."""
    folder, now = StateFolder(str(tmp_path)), datetime.now(timezone.utc)
    folder.write("readers/host-a-dead", _document(now, _me(now), reader("a1", 2, now, NOBODY)))
    folder.write("readers/host-a-b-1", _document(now, _me(now), host="host-a-b"))
    answer = published(_order(tmp_path))
    assert [(one["pid"], one["version"]) for one in answer["taken"]] == [(os.getpid(), 3)]
    assert folder.names("readers") == ["readers/host-a-b-1", "readers/host-a-own"]
    own = read_document(folder.read("readers/host-a-own"))
    assert own is not None
    assert [one.pid for one in own.readers] == [os.getpid()]


def test_a_reader_whose_process_nobody_sees_is_taken_over_too(tmp_path: Path) -> None:
    """It is in another container: that its number is nobody's here proves no end."""
    folder, now = StateFolder(str(tmp_path)), datetime.now(timezone.utc)
    folder.write("readers/host-a-dead", _document(now, reader("a1", 2, now, 0, dag="nightly", task="load")))
    assert [one["task"] for one in published(_order(tmp_path))["taken"]] == ["load"]


def test_who_was_taken_over_is_said_before_anything_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever ends the process there knows them: else its next document would have nobody who has them."""
    folder, now, said = StateFolder(str(tmp_path)), datetime.now(timezone.utc), list[dict[str, Any]]()
    folder.write("readers/host-a-dead", _document(now, _me(now)))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(StateFolder, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        carry_out(_order(tmp_path), said.append)
    [word] = said
    assert ([one["pid"] for one in word["taken"]], word["trouble"]) == ([os.getpid()], None)


@pytest.mark.parametrize(("lives", "left_out"), [(True, 7), (False, 0)])
def test_whom_a_dead_agent_had_no_room_for_are_not_forgotten_with_it(
    tmp_path: Path, *, lives: bool, left_out: int
) -> None:
    """One of them may read a replaced value; as in a living one, until all whom it knew have ended."""
    folder, now = StateFolder(str(tmp_path)), datetime.now(timezone.utc)
    known = _me(now) if lives else reader("a1", 2, now, NOBODY)
    for name, more in (("dead", 7), ("older", 2)):
        folder.write(f"readers/host-a-{name}", _document(now, known, left_out=more))
    answer = published(_order(tmp_path))
    found = PublishedReaders(folder, lambda: now).documents()
    assert found[1] == (f"host-a had more readers than it keeps ({left_out})" if left_out else "")
    table = ReaderTable()
    table.take_over(answer["taken"], answer["left_out"])
    assert table.left_out == left_out


def test_one_strange_reader_is_left_out_and_counted_and_the_others_are_known() -> None:
    """An odd claim is none; without a process or a version nobody knows what it is."""
    now = datetime.now(timezone.utc)
    odd, torn = {**_me(now), "try": "2nd", "hands_on": 1}, {**_me(now), "version": "three"}
    for strange, unclear in ((odd, 0), (torn, 1), ({}, 1), ("?", 1)):
        read = read_document(_document(now, _me(now), strange))  # type: ignore[arg-type]  # a strange one
        assert read is not None
        assert (read.readers[0].pid, len(read.unclear)) == (os.getpid(), unclear)
        assert len(read.readers) == 2 - unclear


@pytest.mark.parametrize("changed", [{"boot": "before"}, {"numbers": "pid:[7]"}])
def test_of_a_host_that_was_restarted_silence_shows_that_all_has_ended(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    """Or of a container of the same name: until then it may be another one that lives."""
    folder, now = StateFolder(str(tmp_path)), datetime.now(timezone.utc)
    for written, left in ((now, 1), (now - SILENT_AFTER - timedelta(seconds=1), 0)):
        folder.write("readers/host-a-before", _document(written, _me(written), **changed))
        assert published(_order(tmp_path))["taken"] == []
        assert len(folder.names("readers")) == left


def test_an_agent_that_lives_is_left_alone(tmp_path: Path) -> None:
    folder, now = StateFolder(str(tmp_path)), datetime.now(timezone.utc)
    living = {"agent": os.getpid(), "agent_started": started_at(os.getpid())}
    folder.write("readers/host-a-other", _document(now, _me(now), **living))
    assert published(_order(tmp_path)) == {"taken": [], "left_out": 0, "unclear": [], "trouble": ""}
    assert folder.names("readers") == ["readers/host-a-other"]
