"""Only who ended because of SQLite is started again: whatever else ends a component, tests have to see."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox import supervisor as supervision
from sandbox.kept import Kept, wait_until
from sandbox.supervisor import Supervisor

GAVE_UP = "Exception when executing SchedulerJob: database is locked"
LOOKS = 2.5
"""Seconds in which a supervisor looks at least twice."""


@contextmanager
def supervised(log: Path, last_words: str, *, hangs: bool = False) -> Iterator[list[Kept]]:
    """All that was started: the first says this and ends, or hangs; whatever is started again lives."""
    made = [Kept(["sh", "-c", f"echo '{last_words}'{'; sleep 60' if hangs else ''}"], log=log)]
    supervisor = Supervisor(lambda: made[-1], lambda: made.append(Kept(["sleep", "60"], log=log)))
    try:
        yield made
    finally:
        supervisor.stop()
        for one in made:
            one.stop()


def test_who_ended_because_of_sqlite_is_started_again_once(tmp_path: Path) -> None:
    """The second one lives, though the words of the first are still the last in the log."""
    with supervised(tmp_path / "log", "sqlite3.OperationalError: database is locked") as made:
        wait_until(lambda: len(made) > 1, "another one", within=30)
        time.sleep(LOOKS)
        assert len(made) == 2


def test_who_ended_for_another_reason_is_not(tmp_path: Path) -> None:
    """Also when it has certainly ended."""
    with supervised(tmp_path / "log", "out of memory") as made:
        wait_until(made[0].has_ended, "its end", within=30)
        time.sleep(LOOKS)
        assert len(made) == 1


def test_who_gave_up_because_of_sqlite_and_hangs_is_ended_and_started_again_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before its tasks have had time to end. What the first said is not held against the second."""
    monkeypatch.setattr(supervision, "_HANGS_AFTER", 2 * LOOKS)
    with supervised(tmp_path / "log", GAVE_UP, hangs=True) as made:
        time.sleep(LOOKS)
        assert len(made) == 1
        wait_until(lambda: len(made) > 1, "another one", within=30)
        time.sleep(3 * LOOKS)
        assert len(made) == 2
