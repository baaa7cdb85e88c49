"""Whoever may write to the state folder reaches nothing outside it through those who write there too."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from bitwarden_vault.state_folder import StateFolder, StateUnavailable
from scenes.held import held

AT_ONCE = 10.0
Told = TypeVar("Told")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state" / "status").mkdir(parents=True)
    return tmp_path / "state"


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """Somebody's file that is none of ours."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "mine.json").write_text('{"mine": 1}')
    return tmp_path / "home" / "mine.json"


def in_time(ask: Callable[[], Told], fifo: Path) -> Told:
    """The answer; what hangs on a FIFO is let go, and told."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        try:
            return asked.result(AT_ONCE)
        finally:
            if not asked.done():
                os.close(os.open(fifo, os.O_RDWR | os.O_NONBLOCK))


def test_a_link_that_lies_where_a_document_is_made_is_not_written_through(
    state: Path, precious: Path
) -> None:
    for pid in (os.getpid(), os.getppid()):
        (state / "status" / f"one.json.{pid}.new").symlink_to(precious)
    StateFolder(str(state)).write("status/one", {"version": 2})
    assert StateFolder(str(state)).read("status/one") == {"version": 2}
    assert json.loads(precious.read_text()) == {"mine": 1}


def test_a_pipe_that_lies_where_a_document_is_made_holds_up_nobody(state: Path) -> None:
    pipe = state / "status" / f"one.json.{os.getpid()}.new"
    os.mkfifo(pipe)
    in_time(lambda: StateFolder(str(state)).write("status/one", {"version": 2}), pipe)
    assert StateFolder(str(state)).read("status/one") == {"version": 2}


def test_a_pipe_in_the_place_of_a_document_is_as_good_as_none(state: Path) -> None:
    os.mkfifo(state / "status" / "one.json")
    assert in_time(lambda: StateFolder(str(state)).read("status/one"), state / "status" / "one.json") is None


def test_a_document_that_another_program_holds_is_waited_for(state: Path) -> None:
    """A file server that has lent it to a client gets it back first."""
    StateFolder(str(state)).write("status/one", {"version": 2})
    with ThreadPoolExecutor(1) as pool:
        with held(state / "status" / "one.json"):
            asked = pool.submit(StateFolder(str(state)).read, "status/one")
            time.sleep(0.2)
            assert not asked.done()
        assert asked.result(AT_ONCE) == {"version": 2}


def test_a_link_in_the_place_of_a_document_shows_no_file_of_others(state: Path, precious: Path) -> None:
    (state / "status" / "one.json").symlink_to(precious)
    assert StateFolder(str(state)).read("status/one") is None


def test_a_link_in_the_place_of_a_folder_leads_nowhere(state: Path, precious: Path) -> None:
    (state / "runs").mkdir()
    (state / "runs" / "2020-01-01").symlink_to(precious.parent)
    folder = StateFolder(str(state))
    with pytest.raises(StateUnavailable, match="cannot be listed: it is a link"):
        folder.names("runs/2020-01-01")
    with pytest.raises(StateUnavailable, match="cannot be removed"):
        folder.remove("runs/2020-01-01/mine")
    with pytest.raises(StateUnavailable, match="cannot be written"):
        folder.write("runs/2020-01-01/mine", {"mine": 2})
    assert json.loads(precious.read_text()) == {"mine": 1}


@pytest.mark.parametrize("name", ["../home/mine", "status/../../home/mine", "status//mine", "/mine"])
def test_a_name_never_leaves_the_folder(state: Path, precious: Path, name: str) -> None:
    folder = StateFolder(str(state))
    with pytest.raises(StateUnavailable):
        folder.write(name, {"mine": 2})
    with pytest.raises(StateUnavailable):
        folder.remove(name)
    assert json.loads(precious.read_text()) == {"mine": 1}


def test_the_folder_itself_may_be_a_link_of_whoever_sets_it_up(state: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(state)
    StateFolder(str(tmp_path / "link")).write("status/one", {"version": 2})
    assert StateFolder(str(state)).names("status") == ["status/one"]


def test_brackets_without_end_are_as_good_as_none(state: Path) -> None:
    """Python's JSON gives up on them with an error of its own."""
    (state / "status" / "one.json").write_text("[" * 200_000)
    assert StateFolder(str(state)).read("status/one") is None
