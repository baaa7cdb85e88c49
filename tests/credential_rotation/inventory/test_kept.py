"""The same files are not read into entries twice, and other files never pass for them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.inventory import kept as inventory_kept
from credential_rotation.inventory.inventory import load_inventory
from credential_rotation.inventory.kept import (
    MOST_KEPT,
    lanes_by_engine,
    names_by_engine,
    read_entry,
    read_inventory,
)

ENTRY = """\
credentials:
  - name: {0}
    engine: postgres
    principal: {0}
    target: {{host: db.internal, dbname: warehouse}}
    vault: {{key: {0}, project: data-platform, format: json}}
    policy: {{max_age: 90d, window: {{from: "22:00", to: "05:00", days: [sun], timezone: Europe/Berlin}}}}
    owner: data-platform
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is kept."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / f"credential-rotation-{os.geteuid()}"


@pytest.fixture
def include(tmp_path: Path, place: Path) -> Path:
    """Three entries in three files, read once and kept; one of them is wrong."""
    del place  # only has to be there first
    folder = tmp_path / "include"
    (folder / "credentials").mkdir(parents=True)
    for name in ("etl", "orders", "wrong"):
        (folder / "credentials" / f"{name}.yaml").write_text(ENTRY.format(name))
    with (folder / "credentials" / "orders.yaml").open("a") as file:
        file.write("    pool: db\n")
    (folder / "credentials" / "wrong.yaml").write_text("credentials: [{name: wrong, engine: oracle}]\n")
    assert read_inventory(folder) == load_inventory(folder)
    return folder


@pytest.fixture
def unread(include: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """From here on, reading anew is seen."""

    def anew(_: Path) -> None:
        raise ReadAnew

    def anew_by_name(_: Path, name: str) -> None:
        raise ReadAnew(name)

    monkeypatch.setattr(inventory_kept, "load_inventory", anew)
    monkeypatch.setattr(inventory_kept, "load_entry", anew_by_name)
    return include


class ReadAnew(Exception):
    """The files were read into entries."""


def test_what_was_read_once_comes_back_the_same(unread: Path) -> None:
    """Entries, problems and limits; the names for the form, and the queues and pools for the tasks."""
    assert read_inventory(unread) == load_inventory(unread)
    assert read_inventory(unread).problems
    assert names_by_engine(unread) == {"postgres": ["etl", "orders"]}
    assert lanes_by_engine(unread) == {"postgres": [(None, "db")]}
    assert tuple(read_entry(unread, one) for one in ("etl", "orders")) == load_inventory(unread).credentials


def test_what_is_begun_meanwhile_begins_where_entries_were_read_before(include: Path) -> None:
    """So that a mistake in a file is told before anybody is asked anything."""
    begun: list[str] = []
    read_inventory(include, meanwhile=lambda: begun.append("kept"))
    _changed(include / "credentials" / "etl.yaml", "90d", "91d")
    read_inventory(include, meanwhile=lambda: begun.append("read anew"))
    read_inventory(include, meanwhile=lambda: begun.append("kept again"))
    assert begun == ["kept", "kept again"]
    for file in (include / "credentials").iterdir():
        file.unlink()
    for _ in range(2):
        read_inventory(include, meanwhile=lambda: begun.append("nothing there"))
    assert begun == ["kept", "kept again"]


@pytest.mark.parametrize("name", ["wrong", "nowhere"])
def test_an_entry_that_is_not_good_is_read_for_what_is_wrong_with_it(include: Path, name: str) -> None:
    """What is kept are good ones."""
    with pytest.raises(BadInput, match=name):
        read_entry(include, name)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a letter in a file": lambda include: _changed(include / "credentials" / "etl.yaml", "90d", "91d"),
    "a file more": lambda include: (include / "credentials" / "new.yaml").write_text(ENTRY.format("new")),
    "a file less": lambda include: (include / "credentials" / "etl.yaml").unlink(),
    "another name of a file": lambda include: _renamed(include / "credentials" / "etl.yaml"),
    "policies that were not there": lambda include: (include / "policies.yaml").write_text("policies: {}\n"),
    "a folder that somebody takes for entries": lambda include: (include / "credentials" / "more").mkdir(),
    "a file that cannot be read": lambda include: (include / "credentials" / "x.yaml").symlink_to("nowhere"),
}


def _changed(file: Path, old: str, new: str) -> None:
    stat = file.stat()
    file.write_text(file.read_text().replace(old, new))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # a checkout may leave times as they were


def _renamed(file: Path) -> None:
    file.rename(file.with_name("other.yaml"))


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_differs_is_read_anew(unread: Path, change: str) -> None:
    """Times of files do not count, contents do."""
    CHANGES[change](unread)
    with pytest.raises(ReadAnew):
        read_inventory(unread)
    with pytest.raises(ReadAnew):
        read_entry(unread, "orders")


def test_another_version_of_the_code_reads_anew(unread: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older one kept may have other fields, or have let a mistake pass."""
    monkeypatch.setattr(inventory_kept, "code", lambda: "another")
    with pytest.raises(ReadAnew):
        read_inventory(unread)


def test_a_torn_file_is_read_anew(unread: Path, place: Path) -> None:
    for file in place.iterdir():
        os.truncate(file, 20)
    with pytest.raises(ReadAnew):
        read_inventory(unread)
    with pytest.raises(ReadAnew):
        names_by_engine(unread)
    with pytest.raises(ReadAnew):
        read_entry(unread, "orders")


class Bomb:
    """Runs when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path(os.environ["BOMB"]),))  # type: ignore[return-value]  # any call will do


def test_a_folder_in_which_others_may_write_is_not_read(
    include: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pickle runs what it reads; what another user may have left there is never touched."""
    monkeypatch.setenv("BOMB", str(tmp_path / "went-off"))
    for kept in (*place.glob("*.inventory"), *place.glob("*.entries")):
        kept.write_bytes(pickle.dumps(Bomb()))
    place.chmod(0o777)
    assert read_inventory(include) == load_inventory(include)
    assert read_entry(include, "etl").name == "etl"
    assert not (tmp_path / "went-off").exists()


def test_what_changes_while_it_is_read_is_not_kept(
    include: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would pass for the files as they were."""
    before = {file.name for file in place.iterdir()}

    def reads(folder: Path) -> object:
        _changed(folder / "credentials" / "etl.yaml", "91d", "92d")
        return load_inventory(folder)

    _changed(include / "credentials" / "etl.yaml", "90d", "91d")
    monkeypatch.setattr(inventory_kept, "load_inventory", reads)
    read_inventory(include)
    assert {file.name for file in place.iterdir()} == before


def test_without_a_place_it_is_read_each_time(include: Path, place: Path) -> None:
    """A read-only file system, a full one, a file in the way."""
    for file in place.iterdir():
        file.unlink()
    place.rmdir()
    place.write_text("in the way")
    assert read_inventory(include) == load_inventory(include)


def test_only_a_few_are_kept(include: Path, place: Path) -> None:
    for number in range(MOST_KEPT):
        (include / "policies.yaml").write_text(f"# {number}\npolicies: {{}}\n")
        read_inventory(include)
    assert len(list(place.iterdir())) == MOST_KEPT


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot read the folder"):
        read_inventory(tmp_path / "nowhere")
