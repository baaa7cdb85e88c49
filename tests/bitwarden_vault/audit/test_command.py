"""`audit verify` accuses nobody of what it could not read."""

import shutil
from pathlib import Path

import pytest

from bitwarden_vault import __main__ as command_line
from scenes.audit.trail import KEY, Trail, write_trail


@pytest.fixture
def trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trail:
    """One in `audit`, and its key."""
    (file := tmp_path / "key").write_bytes(KEY.key or b"")
    monkeypatch.setenv("BITWARDEN_AUDIT_KEY_FILE", str(file))
    return write_trail(tmp_path / "audit")


def verified(tmp_path: Path) -> int:
    return command_line.main(["audit", "verify", str(tmp_path / "audit")])


@pytest.mark.usefixtures("trail")
def test_a_folder_of_checkpoints_that_is_gone_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever changes the trail would begin with that."""
    shutil.rmtree(tmp_path / "audit" / "checkpoints")
    assert verified(tmp_path) == 1
    assert "the checkpoint is missing" in capsys.readouterr().out


@pytest.mark.usefixtures("trail")
@pytest.mark.parametrize("why", ["a folder that cannot be opened", "a file in its place", "one of its files"])
def test_what_cannot_be_read_there_cannot_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], why: str
) -> None:
    """Exit code 2, and the name of what has to be made readable."""
    place = tmp_path / "audit" / "checkpoints"
    (checkpoint,) = place.iterdir()
    checkpoint.unlink()
    if why == "one of its files":
        checkpoint.mkdir()
        place = checkpoint
    else:
        place.rmdir()
        place.write_text("") if why == "a file in its place" else place.symlink_to(place)
    assert verified(tmp_path) == 2
    said = capsys.readouterr()
    assert "WRONG" not in said.out
    assert f"{str(place)!r} cannot be read" in said.err or f"{place} cannot be read" in said.err
