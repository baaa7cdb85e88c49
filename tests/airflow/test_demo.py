"""`make demo` tells the truth: its story holds, its report says what was proved, and nothing is left over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sandbox.places import ROOT

pytestmark = [pytest.mark.airflow, pytest.mark.feature]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The demo, run once in a folder of its own, so that an open `make up` is not in its way."""
    directory = tmp_path_factory.mktemp("demo")
    paths = os.pathsep.join(str(ROOT / name) for name in ("plugins", "tests"))
    environment = os.environ | {"SANDBOX_DIRECTORY": str(directory), "PYTHONPATH": paths}
    ran = subprocess.run(
        [sys.executable, "-m", "sandbox.demo"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    return directory, ran


def test_it_ends_well_and_says_how_it_goes_on(
    told: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """Exit 0, and the last line is for whoever wants to look around."""
    _, ran = told
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "docs/quick-start.md" in ran.stdout.splitlines()[-1]
    assert "`make up`" in ran.stdout.splitlines()[-2]


def test_its_report_says_what_was_proved(told: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """One entry per credential, each with its last rotation; one of them failed and recovered."""
    directory, _ = told
    report = json.loads((directory / "demo-report.json").read_text())
    assert set(report) == {"credentials", "slack", "seconds"}
    by_name = {one["name"]: one for one in report["credentials"]}
    assert {name: (one["outcome"], one["version"]) for name, one in by_name.items()} == {
        "warehouse-etl": ("rotated", 2),
        "reporting": ("rotated", 1),
        "orders-api": ("recovered", 2),
        "billing": ("rotated", 1),
        "exports-uploader": ("rotated", 1),
    }
    assert {(one["engine"], one["strategy"]) for one in by_name.values()} == {
        ("postgres", "in_place"),
        ("postgres", "alternating"),
        ("aws_iam", "overlapping"),
    }
    for one in by_name.values():
        assert one["state"] == "success"
        assert one["old_refused"] is True
        assert one["new_accepted"] is True
        assert one["run_id"]
    first, reply = [one for one in report["slack"] if one["text"].startswith("orders-api: resolved after")]
    assert "It was: rotation failed" in first["text"]
    assert reply["thread_ts"] == first["ts"]


def test_it_shows_the_red_task_and_the_message(
    told: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """Whoever reads along sees what a failure looks like and what still works."""
    _, ran = told
    shown = (
        "task rotate[orders-api] is red",
        "Old password: ❌ refused",
        "New password: ✅ works",
        "audit verify",
    )
    for words in shown:
        assert words in ran.stdout


def test_nothing_of_it_runs_on(told: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """No process has its folder as home, working directory or argument."""
    directory, _ = told
    left = []
    for process in psutil.process_iter():
        try:
            seen = [*process.cmdline(), process.cwd(), *process.environ().values()]
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if any(str(directory) in one for one in seen):
            left.append(process)
    assert left == []
