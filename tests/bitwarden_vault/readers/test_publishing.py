"""A batch of readers that takes too long: its process is ended, so that the next one can begin."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bitwarden_vault.readers.publishing import DEADLINE, Publishing
from bitwarden_vault.readers.table import ReaderTable
from bitwarden_vault.settings import read_settings
from scenes.held import held
from scenes.readers.sides import reader
from scenes.vault.scene import is_alive, until

ENVIRON = {
    "BWS_ACCESS_TOKEN": "0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a.s3cr3t:AAECAwQFBgcICQoLDA0ODw==",
    "BWS_ORGANIZATION_ID": "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1",
}


@pytest.fixture
def said() -> list[str]:
    """The agent's log."""
    return []


@pytest.fixture
def publishing(tmp_path: Path, said: list[str]) -> Iterator[Publishing]:
    """Into a folder in which a document does not open."""
    (tmp_path / "readers").mkdir()
    made = Publishing(read_settings({**ENVIRON, "ROTATION_STATE_PATH": str(tmp_path)}), "host-1", said.append)
    with held(tmp_path / "readers" / f"{os.uname().nodename}-held.json"):
        yield made
    if made.is_under_way:
        with contextlib.suppress(ProcessLookupError):
            os.kill(made._pid, signal.SIGKILL)


def test_one_that_is_late_is_killed_and_said(publishing: Publishing, said: list[str]) -> None:
    """And not one that is within its time."""
    table, now = ReaderTable(), time.monotonic()
    publishing.begin(table, now - DEADLINE - 1)
    pid = publishing._pid
    assert not publishing.see_to_it(table, now - 1)
    assert is_alive(pid)
    until(lambda: publishing.see_to_it(table, now), "it is over")
    assert not is_alive(pid)
    assert not publishing.is_under_way
    assert [f"has not answered for {DEADLINE:g} s" in line for line in said] == [True]


def test_what_it_has_taken_over_is_known_although_it_was_ended_then(
    publishing: Publishing, said: list[str]
) -> None:
    """Its last word is missing, and half of it may be there."""
    taken = reader("a1", 3, datetime.now(timezone.utc), os.getpid())
    word = {"taken": [taken], "left_out": 7, "unclear": [], "trouble": None}
    words = json.dumps(word).encode() + b'\n{"taken": ['
    table, publishing._order = ReaderTable(), os.memfd_create("readers")
    os.write(publishing._order, words)
    publishing._hear(table)
    assert ([one["pid"] for one in table.entries()], table.left_out) == ([os.getpid()], 7)
    assert ["the process that does it" in line or "has not answered" in line for line in said] == [True]
