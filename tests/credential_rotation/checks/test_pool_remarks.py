"""A pool that Airflow does not have is told by `check`, where it can ask."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from credential_rotation.checks.pool_remarks import remarks_on_pools
from sandbox.places import ROOT
from simulators.scene import ETL

SAID = """
import os
from dataclasses import replace
from credential_rotation.checks.pool_remarks import remarks_on_pools
from simulators.scene import ETL
pools = {"etl": "default_pool", "bi": "db", "hr": "db"}
entries = [replace(ETL, name=name, pool=pool) for name, pool in pools.items()]
print(*remarks_on_pools(entries, os.environ), sep="\\n")
"""


def said(home: Path, *prepare: str) -> list[str]:
    """By a process of its own: Airflow is imported into this home."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT / 'tests'}",
    }
    for command in (prepare, (sys.executable, "-c", SAID)):
        if command:
            ran = subprocess.run(command, env=environ, cwd=home, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


@pytest.mark.airflow
def test_a_pool_that_is_not_there_is_told_with_the_entries_that_wait_for_it(tmp_path: Path) -> None:
    """Of a real Airflow's database; one that is there is not."""
    migrate = (str(Path(sys.executable).with_name("airflow")), "db", "migrate")
    [remark] = said(tmp_path, *migrate)
    assert remark.startswith("Airflow has no pool 'db': tasks of bi, hr wait until there is one.")


@pytest.mark.airflow
def test_a_database_that_cannot_be_asked_is_nothing_to_tell(tmp_path: Path) -> None:
    """It was never made."""
    assert said(tmp_path) == [""]


def test_a_shell_that_knows_no_airflow_asks_none() -> None:
    """Nor where nobody names a pool."""
    assert list(remarks_on_pools([replace(ETL, pool="db")], {})) == []
    assert list(remarks_on_pools([ETL], {"AIRFLOW_HOME": "/nowhere"})) == []
