"""Who can put files into a trail's folder cannot keep `audit verify` from saying what it found."""

import json
from pathlib import Path

import pytest

from bitwarden_vault import __main__ as command_line
from bitwarden_vault.audit.line import GENESIS, Seal, sealed
from scenes.audit.trail import write_trail

MOVES = "\x1b[1A\x1b[2K"
"""To the line above, and away with it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trail without a key, of which one line is gone."""
    trail = write_trail(tmp_path / "audit", seal=Seal())
    spoiled = tmp_path / "audit" / trail.names[1]
    spoiled.write_bytes(b"".join(trail.lines(trail.names[1])[:-1]))
    return tmp_path / "audit"


def verified(folder: Path, *more: str) -> int:
    return command_line.main(["audit", "verify", str(folder), *more])


@pytest.mark.parametrize("name", [f"{MOVES}-20261126T155153Z-1-0a0a0a0a-000001.jsonl", "\udcff.jsonl"])
def test_no_name_of_a_file_hides_or_stops_what_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (folder / name).write_bytes(b"")
    (folder / "checkpoints" / f"host: 9 lines in 1 segments\n{name}.checkpoint").write_bytes(b"{}\n")
    assert verified(folder) == 1
    said = capsys.readouterr().out
    assert "WRONG" in said
    assert all(line.isprintable() for line in said.splitlines())
    assert not any(line.startswith("host: 9") and "complete up to" not in line for line in said.splitlines())


def test_no_text_of_a_checkpoint_moves_the_cursor(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkpoint,) = (folder / "checkpoints").iterdir()
    agent = checkpoint.name.removesuffix(".checkpoint")
    line, _ = sealed(Seal(), 3, GENESIS, {"agent": agent, "at": MOVES, "number": 1, "key": MOVES})
    checkpoint.write_bytes(line)
    assert verified(folder) == 1
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("number", ["900000000", "9" * 40])
def test_a_file_of_an_enormous_number_is_told_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    """Who wants to keep an auditor waiting would only have to name one."""
    agent = next(folder.glob("*-000001.jsonl")).name.removesuffix("-000001.jsonl")
    (folder / f"{agent}-{number}.jsonl").write_bytes(b"")
    assert verified(folder, "--json") == 1
    [found] = json.loads(capsys.readouterr().out)["agents"]
    assert any("missing" in one["what"] for one in found["findings"])
    assert len(found["findings"]) < 100


@pytest.mark.parametrize("number", ["0000001", "00000\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_number_written_in_another_way_is_no_segments(
    folder: Path, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    agent = next(folder.glob("*-000001.jsonl")).name.removesuffix("-000001.jsonl")
    (folder / f"{agent}-000001.jsonl").rename(folder / f"{agent}-{number}.jsonl")
    assert verified(folder) == 1
    assert f"WRONG {agent}-000001.jsonl: the segment is missing" in capsys.readouterr().out


@pytest.mark.parametrize("lines", ["many", float("inf"), None, [1]])
def test_a_count_that_is_none_stops_nothing(folder: Path, lines: object) -> None:
    agent = next(folder.glob("*-000001.jsonl")).name.removesuffix("-000001.jsonl")
    raw, _ = sealed(Seal(), 1, GENESIS, {"operation": "lost", "lines": lines})
    (folder / f"{agent}-000001.jsonl").write_bytes(raw)
    assert verified(folder) == 1
