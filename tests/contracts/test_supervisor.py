"""Only who ended because of SQLite is started again: whatever else ends a component, tests have to see."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sandbox.kept import Kept
from sandbox.supervisor import Supervisor


@pytest.mark.parametrize(
    ("last_words", "starts"), [("sqlite3.OperationalError: database is locked", 2), ("out of memory", 1)]
)
def test_who_ended_because_of_sqlite_is_started_again(tmp_path: Path, last_words: str, starts: int) -> None:
    """Once: the second one lives."""
    log = tmp_path / "log"
    made = [Kept(["sh", "-c", f"echo '{last_words}'"], log=log)]

    def start_again() -> None:
        made.append(Kept(["sleep", "60"], log=log))

    supervisor = Supervisor(lambda: made[-1], start_again)
    try:
        time.sleep(3.5)
        assert len(made) == starts
    finally:
        supervisor.stop()
        for one in made:
            one.stop()
