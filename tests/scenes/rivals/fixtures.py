"""pytest fixture: rivals, from one process that has loaded everything; gone with their test."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.places import PLUGINS, TESTS
from scenes.rivals.processes import Rivals


@pytest.fixture(scope="session")
def rival_driver() -> Iterator[subprocess.Popen[str]]:
    """Has loaded everything, so that what two of its forks do happens at once."""
    with subprocess.Popen(
        [sys.executable, "-m", "scenes.rivals.driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": f"{PLUGINS}:{TESTS}", "PATH": os.defpath},
    ) as process:
        yield process
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()  # type: ignore[union-attr]  # it is a pipe


@pytest.fixture
def rivals(rival_driver: subprocess.Popen[str], tmp_path: Path) -> Iterator[Rivals]:
    """Whatever a test does to them, they are gone afterwards."""
    made = Rivals(rival_driver, tmp_path)
    yield made
    made.end()
