"""Closed segments are copied to where a host cannot take them back; each is created there once."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bitwarden_vault import __main__ as command_line
from bitwarden_vault.audit import segments as audit_segments
from bitwarden_vault.audit.segments import Segments
from bitwarden_vault.audit.ship import CLOSED_AFTER, Shipped, ship
from sandbox.places import PLUGINS
from scenes.audit.trail import KEY, read_trail, write_trail


def shipped(folder: Path, to: Path, now: float | None = None) -> Shipped:
    return ship(str(folder), str(folder / "checkpoints"), to.as_uri(), now)


def verified(place: str, *arguments: str) -> int:
    return command_line.main(["audit", "verify", place, *arguments])


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file := tmp_path / "key").write_bytes(b"a key of thirty-two characters!!")
    monkeypatch.setenv("BITWARDEN_AUDIT_KEY_FILE", str(file))


def test_all_of_an_agent_that_has_ended_is_copied_once(tmp_path: Path) -> None:
    """As it is, checkpoint included."""
    trail = write_trail(tmp_path / "here")
    there = tmp_path / "there"
    assert sorted(shipped(tmp_path / "here", there).copied) == trail.names
    copy = read_trail(there, trail.seals)
    assert (copy.segments, copy.checkpoints) == (trail.segments, trail.checkpoints)
    again = shipped(tmp_path / "here", there)
    assert (again.copied, sorted(again.there), again.differ) == ([], trail.names, [])


@pytest.mark.usefixtures("key")
def test_of_one_that_runs_all_but_the_last_segment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest follows; meanwhile `--shipped` tells what is not there yet from what was taken away."""
    trail = write_trail(tmp_path / "here", ends=False)
    there = tmp_path / "there"
    done = shipped(tmp_path / "here", there)
    assert (sorted(done.copied), done.left) == (trail.names[:-1], trail.names[-1:])
    assert verified(str(there), "--shipped", "--json") == 0
    (agent,) = json.loads(capsys.readouterr().out)["agents"]
    assert agent["complete_to"] == 5 * (len(trail.names) - 1)
    assert verified(str(there)) == 1
    (there / trail.names[-2]).unlink()
    assert verified(str(there), "--shipped") == 1


def test_of_one_that_was_killed_the_last_segment_follows_later(tmp_path: Path) -> None:
    """No segment grows for longer than an hour."""
    trail = write_trail(tmp_path / "here", ends=False)
    done = shipped(tmp_path / "here", tmp_path / "there", time.time() + CLOSED_AFTER + 1)
    assert (sorted(done.copied), done.left) == (trail.names, [])


def test_of_one_whose_disk_is_full_the_last_segment_stays_until_what_waits_for_it_is_there(
    tmp_path: Path,
) -> None:
    """However old it looks: what waits belongs into that file and no other."""
    here, there = tmp_path / "here", tmp_path / "there"
    written = Segments(str(here), str(here / "checkpoints"), KEY)
    written.add({"operation": "get_secret", "request": 1})
    written.settle()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    (segment,) = here.glob("*.jsonl")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (segment.stat().st_size + 100, usual[1]))
        written.add({"operation": "get_secret", "request": 2})
        assert not written.settle()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    much_later = time.time() + 2 * CLOSED_AFTER
    assert shipped(here, there, much_later).left == [segment.name]
    written.settle()
    assert shipped(here, there, much_later).copied == [segment.name]
    written._begun_at -= 2 * CLOSED_AFTER
    written.end()
    last = shipped(here, there, much_later)
    assert (len(last.copied), last.there, last.differ) == (1, [segment.name], [])
    assert read_trail(there, [KEY]).findings() == []


def test_of_one_that_was_killed_with_a_full_disk_the_last_segment_follows_too(tmp_path: Path) -> None:
    """Nobody is left who would write into it; half a line at its end is told as such."""
    here, there = tmp_path / "here", tmp_path / "there"
    code = f"""
import os, resource, signal
from bitwarden_vault.audit.segments import Segments
from scenes.audit.trail import KEY
written = Segments({str(here)!r}, {str(here / "checkpoints")!r}, KEY)
written.add({{"operation": "start"}})
written.settle()
room = os.path.getsize(written.path) + 100
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
written.add({{"operation": "look_up"}})
written.settle()
print(written.trouble, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "File too large" in ran.stdout, ran.stderr
    done = shipped(here, there, time.time() + CLOSED_AFTER + 1)
    assert (len(done.copied), done.left) == (1, [])
    assert read_trail(there, [KEY]).findings() == []


def test_an_agent_that_ends_late_begins_a_segment_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the one that was shipped would grow."""
    monkeypatch.setattr(audit_segments, "MOST_SECONDS", 0.01)
    written = Segments(str(tmp_path), str(tmp_path / "checkpoints"), write_trail(tmp_path / "x").seals[0])
    written.add({"operation": "get_secret"})
    written.settle()
    (before,) = read_trail(tmp_path).segments.values()
    time.sleep(0.02)
    written.end()
    assert before in read_trail(tmp_path).segments.values()
    assert len(read_trail(tmp_path).names) == 2


@pytest.mark.usefixtures("key")
def test_what_differs_there_is_left_alone_and_told(tmp_path: Path) -> None:
    """Either copy may be the one that was changed: `audit verify` on both tells which."""
    trail = write_trail(tmp_path / "here")
    there = tmp_path / "there"
    shipped(tmp_path / "here", there)
    changed = tmp_path / "here" / trail.names[1]
    changed.write_bytes(changed.read_bytes().replace(b"get_secret", b"got_secret"))
    assert shipped(tmp_path / "here", there).differ == [trail.names[1]]
    assert (there / trail.names[1]).read_bytes() == trail.segments[trail.names[1]]
    assert (verified(str(tmp_path / "here")), verified(str(there))) == (1, 0)


_KILLED_WHILE_IT_WRITES = """
import resource, signal, sys
from bitwarden_vault.__main__ import main
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
main(["audit", "ship", sys.argv[1]])
"""


def test_a_link_that_lies_there_is_not_written_through(tmp_path: Path) -> None:
    """Who may write there, and there alone, would have the trail itself overwritten by who ships it."""
    trail = write_trail(tmp_path / "here")
    there, kept = tmp_path / "there", tmp_path / "here" / trail.names[0]
    (there / "checkpoints").mkdir(parents=True)
    (there / f"{trail.names[1]}.{os.getpid()}.new").symlink_to(kept)
    for name in trail.checkpoints:
        (there / "checkpoints" / name).symlink_to(kept)
    shipped(tmp_path / "here", there)
    assert read_trail(tmp_path / "here").segments == trail.segments
    assert (read_trail(there).segments, read_trail(there).checkpoints) == (trail.segments, trail.checkpoints)


def test_of_one_that_was_killed_while_it_copied_no_half_is_there(tmp_path: Path) -> None:
    """It would differ for ever, and accuse somebody: the next run copies the whole."""
    trail = write_trail(tmp_path / "here")
    there = tmp_path / "there"
    killed = subprocess.run(
        [sys.executable, "-B", "-c", _KILLED_WHILE_IT_WRITES, there.as_uri()],
        env={"PYTHONPATH": str(PLUGINS), "PATH": os.defpath, "BITWARDEN_AUDIT_PATH": str(tmp_path / "here")},
        check=False,
    )
    assert killed.returncode == -signal.SIGXFSZ
    assert read_trail(there).segments == {}
    done = shipped(tmp_path / "here", there)
    assert (sorted(done.copied), done.differ) == (trail.names, [])
    assert read_trail(there).segments == trail.segments


@pytest.mark.usefixtures("key")
def test_any_store_that_fsspec_knows_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without appending, and verified where it lies."""
    trail = write_trail(tmp_path / "here")
    monkeypatch.setenv("BITWARDEN_AUDIT_PATH", str(tmp_path / "here"))
    assert command_line.main(["audit", "ship", "memory://audit"]) == 0
    assert sorted(json.loads(capsys.readouterr().out)["copied"]) == trail.names
    assert verified("memory://audit") == 0
    assert command_line.main(["audit", "ship", "nonsense://audit"]) == 2
