"""Readers that nobody understands, in what a dead agent left: they keep nobody else, and end some day."""

from __future__ import annotations

import errno
import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault import shared_disk
from bitwarden_vault.readers.document import KEPT_FOR, SILENT_AFTER
from bitwarden_vault.readers.processes import boot, numbers, started_at
from bitwarden_vault.readers.watch import FIRST_LOOK, ReaderWatch
from bitwarden_vault.settings import read_settings
from bitwarden_vault.state_folder import StateFolder
from scenes.readers.sides import document, published, reader
from scenes.vault.scene import until

NOBODY = 4194305
"""More than any pid."""
HOST = os.uname().nodename
DEAD, OWN = f"readers/{HOST}-dead", f"readers/{HOST}-own"
ENVIRON = {
    "BWS_ACCESS_TOKEN": "0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a.s3cr3t:AAECAwQFBgcICQoLDA0ODw==",
    "BWS_ORGANIZATION_ID": "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1",
}


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _me(version: object = 3) -> dict[str, Any]:
    return {**reader("a1", 3, _now(), os.getpid()), "started": started_at(os.getpid()), "version": version}


def _left(folder: StateFolder, *readers: object, written: datetime | None = None, **changed: object) -> None:
    here = {"boot": boot(), "numbers": numbers(), "agent": NOBODY}
    made = document(HOST, written or _now())
    folder.write(DEAD, {**made, **here, "readers": list(readers), **changed})


def _published(path: Path, *readers: dict[str, Any]) -> dict[str, Any]:
    here = {**document(HOST, _now(), *readers), "boot": boot(), "numbers": numbers(), "agent": os.getpid()}
    order = {
        "path": str(path),
        "name": OWN,
        "is_there": False,
        "environ": {},
        "document": here,
    }
    return published(order)


def test_who_is_understood_is_taken_over_from_beside_them(tmp_path: Path) -> None:
    """Left there, it would be forgotten after a day though it lives, or waited for though it has ended."""
    folder = StateFolder(str(tmp_path))
    _left(folder, _me(), reader("a1", 2, _now(), NOBODY), "?")
    answer = _published(tmp_path)
    assert [one["pid"] for one in answer["taken"]] == [os.getpid()]
    assert (folder.read(DEAD) or {})["readers"] == ["?"]
    [told] = answer["unclear"]
    assert told.startswith(
        f"1 of the readers in {DEAD}, whose agent is dead, cannot be understood: kept until"
    )


def test_a_document_that_cannot_be_read_keeps_no_reader_from_being_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another user of this host left it, say: a value would have its end while somebody here reads it."""
    folder = StateFolder(str(tmp_path))
    _left(folder, reader("a1", 2, _now(), NOBODY))
    really = shared_disk.read

    def refused(root: str, name: str) -> bytes:
        if name == f"{DEAD}.json":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return really(root, name)

    monkeypatch.setattr(shared_disk, "read", refused)
    answer = _published(tmp_path, _me())
    assert [one["pid"] for one in (folder.read(OWN) or {})["readers"]] == [os.getpid()]
    assert (answer["trouble"], len(answer["unclear"])) == ("", 1)
    assert "Permission denied" in answer["unclear"][0]


def test_they_stay_for_a_week_since_their_agent_last_wrote(tmp_path: Path) -> None:
    """Their being kept is no sign of life."""
    folder, then = StateFolder(str(tmp_path)), _now() - KEPT_FOR
    for written, stays in ((then + timedelta(minutes=1), True), (then - timedelta(minutes=1), False)):
        _left(folder, "?", _me(), written=written)
        _published(tmp_path)
        assert (DEAD in folder.names("readers")) == stays
        assert ((folder.read(DEAD) or {}).get("written") == written.isoformat()) == stays


def test_one_from_the_end_of_days_keeps_nobody_from_being_published(tmp_path: Path) -> None:
    """A clock that was wrong, or anybody who may write there."""
    _left(StateFolder(str(tmp_path)), _me(), written=datetime.max.replace(tzinfo=timezone.utc))
    answer = _published(tmp_path)
    assert (answer["trouble"], len(answer["taken"])) == ("", 1)


@pytest.mark.parametrize(
    ("unclear", "stays"),
    [
        (_me("three"), True),
        ({**_me("three"), "pid": NOBODY}, False),
        ({**_me("three"), "started": 1}, False),
        ({**_me("three"), "pid": "?"}, True),
        ({**_me("three"), "started": True}, True),
        ({}, True),
    ],
    ids=["lives", "ended", "its number came again", "no number", "no start", "nothing"],
)
def test_one_whose_process_has_ended_is_let_go_of(tmp_path: Path, unclear: object, *, stays: bool) -> None:
    """That it ended is the only proof; a number that is not said proves nothing."""
    folder = StateFolder(str(tmp_path))
    _left(folder, unclear)
    _published(tmp_path)
    assert (DEAD in folder.names("readers")) == stays


def test_with_a_boot_that_is_over_they_are_over(tmp_path: Path) -> None:
    """As those that are understood: silence shows that it is not another host of this name."""
    folder = StateFolder(str(tmp_path))
    for written, stays in ((_now(), True), (_now() - SILENT_AFTER - timedelta(seconds=1), False)):
        _left(folder, "?", boot="before", written=written)
        _published(tmp_path)
        assert (DEAD in folder.names("readers")) == stays


def test_the_agents_status_says_what_is_kept_and_why(tmp_path: Path) -> None:
    """With the process, where that much is understood."""
    _left(StateFolder(str(tmp_path)), _me("three"))
    watch = ReaderWatch(read_settings({**ENVIRON, "ROTATION_STATE_PATH": str(tmp_path)}), "host-1", print)
    assert "readers_unclear" not in watch.status()
    watch.turn(time.monotonic() + FIRST_LOOK)
    until(
        lambda: bool(watch.turn(time.monotonic() + FIRST_LOOK)) and "readers_unclear" in watch.status(),
        "told",
    )
    told = str(watch.status()["readers_unclear"])
    assert told.startswith(f"1 of the readers (process {os.getpid()}) in {DEAD}")
