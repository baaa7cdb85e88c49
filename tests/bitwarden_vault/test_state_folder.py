"""What hosts share is there whole or not at all, on a disk and in an object store."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from bitwarden_vault.state_folder import StateFolder, StateUnavailable, state_folder


@pytest.fixture(params=["disk", "object store"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> StateFolder:
    """The memory of fsspec stands in for an object store: no rename, no append, folders only by name."""
    store = f"memory://state-{secrets.token_hex(4)}"
    return StateFolder(str(tmp_path / "state") if request.param == "disk" else store)


def test_a_document_comes_back_and_is_replaced_whole(folder: StateFolder) -> None:
    folder.write("runs/2026-11-26/one", {"outcomes": [1, 2, 3]})
    folder.write("runs/2026-11-26/one", {"outcomes": []})
    assert folder.read("runs/2026-11-26/one") == {"outcomes": []}


def test_what_is_not_there_is_none_and_an_empty_list(folder: StateFolder) -> None:
    assert folder.read("runs/2026-11-26/one") is None
    assert folder.names("runs") == []
    assert folder.folders("runs") == []
    folder.remove("runs/2026-11-26/one")


def test_names_and_folders_are_listed_in_order(folder: StateFolder) -> None:
    for name in ("runs/b", "runs/a", "runs/2026-11-26/one"):
        folder.write(name, {})
    assert folder.names("runs") == ["runs/a", "runs/b"]
    assert folder.folders("runs") == ["runs/2026-11-26"]
    folder.remove("runs/a")
    assert folder.names("runs") == ["runs/b"]


@pytest.mark.parametrize("text", ["", '{"cut', "[1]", "\xff"])
def test_a_file_that_somebody_tore_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_bytes(text.encode("latin-1"))
    assert StateFolder(str(tmp_path)).read("one") is None


def test_a_write_that_fails_leaves_the_old_document_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StateFolder(str(tmp_path))
    folder.write("one", {"version": 1})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bitwarden_vault.shared_disk.os.replace", full)
    with pytest.raises(StateUnavailable, match="cannot be written: No space left on device"):
        folder.write("one", {"version": 2})
    assert folder.read("one") == {"version": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["one.json"]


def test_a_store_that_is_not_known_is_named() -> None:
    with pytest.raises(StateUnavailable, match="nosuchstore://here"):
        StateFolder("nosuchstore://here").write("one", {})


def test_by_default_it_lies_in_airflows_home() -> None:
    assert state_folder({"AIRFLOW_HOME": "/opt/airflow"}).path == "/opt/airflow/credential_rotation_state"
    assert state_folder({"ROTATION_STATE_PATH": "s3://bucket/state/"}).path == "s3://bucket/state"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_the_group_shares_it_and_nobody_else_sees_it(tmp_path: Path, umask: int) -> None:
    """Agents and tasks of several users write there; a umask, which differs by process, decides nothing."""
    before = os.umask(umask)
    try:
        StateFolder(str(tmp_path / "state")).write("history/etl/one", {})
        StateFolder(str(tmp_path / "state")).write("readers/here", {})
    finally:
        os.umask(before)
    modes = {one.name: f"{one.stat().st_mode & 0o777:o}" for one in (tmp_path / "state").rglob("*")}
    assert modes == {
        "history": "770",
        "etl": "770",
        "one.json": "660",
        "readers": "770",
        "here.json": "660",
    }
    assert f"{(tmp_path / 'state').stat().st_mode & 0o777:o}" == "770"


def test_a_folder_that_somebody_made_is_as_they_made_it(tmp_path: Path) -> None:
    """Who keeps the group out, or hands its group on (setgid), has decided that."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o2700)
    StateFolder(str(tmp_path / "state")).write("history/etl/one", {})
    assert f"{(tmp_path / 'state').stat().st_mode & 0o7777:o}" == "2700"
    assert f"{(tmp_path / 'state' / 'history').stat().st_mode & 0o7777:o}" == "2770"
