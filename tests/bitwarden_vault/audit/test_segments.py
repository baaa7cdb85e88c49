"""How an agent brings its trail to the disk: in order, whole, in files that are made once."""

import errno
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bitwarden_vault.audit import places as audit_places
from bitwarden_vault.audit import segments as audit_segments
from bitwarden_vault.audit.places import parse_segment_name
from bitwarden_vault.audit.segments import Segments
from scenes.audit.trail import KEY, read_trail, write_trail

LINE = {"operation": "look_up"}


class Disk:
    """Real writes, with as much room as it is given."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.room = 10**9
        self.only: int | None = None
        """The one file that it has no room for."""
        self._write = os.write
        patch.setattr(os, "write", self.write)

    def write(self, file: int, content: bytes) -> int:
        if not self.room or file == self.only:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(file, bytes(content[: self.room]))
        self.room -= written
        return written


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    yield Disk(monkeypatch)
    monkeypatch.undo()


def begin(folder: Path) -> Segments:
    return Segments(str(folder), str(folder / "checkpoints"), KEY)


def test_a_new_segment_names_the_one_before(tmp_path: Path) -> None:
    """By its file and by its last digest, so that none can be taken out or put in."""
    trail = write_trail(tmp_path)
    last: dict[str, object] = {"digest": "0" * 64}
    for name, before in zip(trail.names, ["", *trail.names], strict=False):
        first = json.loads(trail.lines(name)[0])
        assert (first["operation"], first["previous"], first["before"]) == ("segment", before, last["digest"])
        last = json.loads(trail.lines(name)[-1])


def test_no_two_agents_have_a_name_in_common(tmp_path: Path) -> None:
    """Also in one process, in one second: containers repeat host names and process ids."""
    agents = {begin(tmp_path).agent for _ in range(20)}
    assert len(agents) == 20
    assert all(parse_segment_name(f"{agent}-000001.jsonl") == (agent, 1) for agent in agents)


def test_a_segment_is_not_written_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was closed can be copied away."""
    monkeypatch.setattr(audit_segments, "MOST_SECONDS", 0.02)
    written = begin(tmp_path)
    written.add(LINE)
    time.sleep(0.03)
    written.add(LINE)
    written.end()
    assert len(read_trail(tmp_path).names) == 2
    assert read_trail(tmp_path, [KEY]).findings() == []


def test_a_full_segment_for_which_nothing_waits_gets_no_line_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be shipped already, even where the disk is out of order at this moment."""
    monkeypatch.setattr(audit_segments, "MOST_SECONDS", 0.02)
    written = begin(tmp_path)
    written.add(LINE)
    written.settle()
    (before,) = read_trail(tmp_path).segments.values()
    time.sleep(0.03)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", lambda _: os.open(tmp_path / "no" / "such", os.O_RDONLY))
        written.add(LINE)
    written.end()
    assert before in read_trail(tmp_path).segments.values()
    assert read_trail(tmp_path, [KEY]).findings() == []


def test_the_checkpoint_names_nothing_that_is_not_on_the_disk(tmp_path: Path, disk: Disk) -> None:
    """A power cut must not look like tampering."""
    written = begin(tmp_path)
    written.add(LINE)
    assert written.settle()
    disk.only = written._file
    written.add(LINE)
    assert not written.settle()
    check = read_trail(tmp_path, [KEY]).check()
    assert (check.findings, check.checkpoint, check.lines) == ([], 2, 2)


@pytest.mark.parametrize("room", [1, 50, 333, 1200])
def test_a_line_of_which_a_full_disk_took_a_part_becomes_whole(tmp_path: Path, disk: Disk, room: int) -> None:
    """From the byte on that is missing; until then it is torn, and nothing worse."""
    written = begin(tmp_path)
    written.add(LINE)
    written.settle()
    disk.room = room
    for _ in range(8):
        written.add(LINE)
        written.write()
    assert "No space left" in written.trouble
    torn = read_trail(tmp_path, [KEY]).check()
    assert (torn.findings, torn.complete_to) == ([], 2)
    disk.room = 10**9
    written.end()
    assert written.trouble == ""
    whole = read_trail(tmp_path, [KEY]).check()
    assert (whole.findings, whole.lines, whole.complete_to) == ([], 11, 11)


def test_what_has_to_be_given_up_is_counted_in_the_trail(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that stays full must not fill the memory; the chain has no hole that could hide something."""
    monkeypatch.setattr(audit_segments, "MOST_PENDING", 1000)
    written = begin(tmp_path)
    disk.room = 0
    for _ in range(50):
        written.add(LINE)
    assert written.lost > 30
    disk.room = 10**9
    written.settle()
    written.add(LINE)
    written.end()
    check = read_trail(tmp_path, [KEY]).check()
    assert (check.findings, check.lost) == ([], written.lost)


def test_a_checkpoint_that_cannot_be_written_is_told_and_caught_up(tmp_path: Path) -> None:
    """The last good one stays until there is a better one."""
    written = begin(tmp_path)
    written.add(LINE)
    written.settle()
    written.add(LINE)
    (in_the_way := tmp_path / "checkpoints" / f"{written.agent}.checkpoint.new").mkdir()
    assert not written.settle()
    assert "the checkpoint in" in written.trouble
    assert read_trail(tmp_path, [KEY]).check().checkpoint == 2
    in_the_way.rmdir()
    written.end()
    check = read_trail(tmp_path, [KEY]).check()
    assert (check.findings, check.complete_to) == ([], 4)


def test_half_a_checkpoint_never_takes_the_place_of_a_whole_one(tmp_path: Path, disk: Disk) -> None:
    """A disk may have room for a part of it."""
    written = begin(tmp_path)
    written.add(LINE)
    written.settle()
    written.add(LINE)
    written.write()
    disk.room = 50
    assert not written.settle()
    assert read_trail(tmp_path, [KEY]).check().checkpoint == 2


def test_there_is_a_checkpoint_before_there_is_a_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment without one was never left by a crash."""
    written = begin(tmp_path)
    written.add(LINE)
    with monkeypatch.context() as patch:
        patch.setattr(audit_segments, "create", lambda *_: os.open(tmp_path / "no" / "such", os.O_RDONLY))
        assert not written.write()
    check = read_trail(tmp_path, [KEY]).check()
    assert (check.checkpoint, check.segments, check.findings) == (0, 0, [])


def test_a_file_that_is_there_is_never_written_into(tmp_path: Path) -> None:
    """Nor is a link followed."""
    (there := tmp_path / "there").write_text("theirs")
    (tmp_path / "link").symlink_to(there)
    for name in ("there", "link"):
        with pytest.raises(FileExistsError):
            audit_places.create(str(tmp_path), name)
    assert there.read_text() == "theirs"
