"""Whoever shows a failure waits the hourly repair out; the minutes that are counted with are the DAGs'."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from sandbox.places import ROOT
from sandbox.tick import REPAIR, ROTATIONS, wait_for

DAGS = ROOT / "dags"


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        ("22:28:29", 0.0),
        ("22:28:31", 109.0),
        ("22:29:59", 21.0),
        ("22:30:00", 20.0),
        ("22:30:19", 1.0),
        ("22:30:20", 0.0),
        ("23:00:00", 0.0),
    ],
)
def test_a_tick_that_is_near_is_waited_out_with_its_run(at: str, seconds: float) -> None:
    """And none that is far, before or behind."""
    now = datetime.fromisoformat(f"2026-11-26T{at}").replace(tzinfo=timezone.utc)
    assert wait_for(REPAIR, 90, now) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("dag", "minute"),
    [
        ("rotate_database_credentials", ROTATIONS),
        ("rotate_cloud_credentials", ROTATIONS),
        ("retire_credentials", REPAIR),
    ],
)
def test_the_minutes_are_those_of_the_dags(dag: str, minute: int) -> None:
    """A schedule that moves takes these along."""
    assert f'schedule="{minute} * * * *"' in (DAGS / f"{dag}.py").read_text()
