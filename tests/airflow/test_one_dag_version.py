"""FIELD E3: a DAG has one version until the inventory really changes (runs between: test_ways_in.py)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from sandbox.places import ROOT
from scenes.airflow.office import DAGS, ROTATE

pytestmark = [pytest.mark.airflow, pytest.mark.feature]

PARSES = 20
ZONES = ("UTC", "Asia/Tokyo", "America/Lima")
_ENTRY = """\
  - name: {name}
    engine: postgres
    principal: {name}
    target: {{host: db.internal, dbname: {name}}}
    vault: {{key: {name}/database, project: data-platform, format: json}}
    policy: quarterly
    owner: data-platform
    tags: [prod, eu, {name}]
    queue: {file}
    pool: database
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folders, and an inventory of thirty entries in ten files, each with a queue of its own."""
    home = tmp_path_factory.mktemp("versions") / "home"
    for name in ("dags", "plugins", "include"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in range(10):
        _write(home, f"file{file}", [f"role-{file}-{one}" for one in range(3)])
    return home


def _write(home: Path, file: str, names: list[str]) -> Path:
    path = home / "include" / "credentials" / f"{file}.yaml"
    path.write_text("credentials:\n" + "".join(_ENTRY.format(name=name, file=file) for name in names))
    return path


def _parse(home: Path, *seeds: int) -> list[dict[str, Any]]:
    """What Airflow would store, once for each seed: at another hour and place, folders in another order.

    The hashes are those of the first one.
    """
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONHASHSEED": str(seeds[0]),
        "PYTHONPATH": str(ROOT / "tests"),
    }
    parses = [(_hour(seed), ZONES[seed % len(ZONES)], str(seed)) for seed in seeds]
    ran = subprocess.run(
        [sys.executable, "-m", "scenes.airflow.parse_dags", str(home / "dags"), *chain.from_iterable(parses)],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said: list[dict[str, Any]] = [json.loads(line) for line in ran.stdout.splitlines() if line[:1] == "{"]
    assert [one["errors"] for one in said] == [{}] * len(seeds)
    return said


def _hour(seed: int) -> str:
    return (datetime(2026, 3, 1, tzinfo=timezone.utc) + timedelta(hours=17 * seed)).isoformat()


def test_twenty_parses_make_one_version(home: Path) -> None:
    """Neither hash seed, order of files, hour nor time zone gets into what Airflow stores, to the byte."""
    [first] = _parse(home, 0)
    others = [one for seed in range(1, PARSES, 4) for one in _parse(home, *range(seed, seed + 4))]
    assert len(others) == PARSES
    assert set(first["dags"]) == set(DAGS)
    assert [one for one in others if one != first] == []


def test_no_dag_is_tied_to_the_commit_of_a_bundle(home: Path) -> None:
    """A run that is cleared uses the inventory of today: test_ways_in.py shows it for one."""
    stored = {name: json.loads(text)["dag"] for name, text in _parse(home, 1)[0]["texts"].items()}
    assert {name: one["disable_bundle_versioning"] for name, one in stored.items()} == dict.fromkeys(
        DAGS, True
    )


def test_an_entry_more_makes_another_version(home: Path) -> None:
    """The form offers it: then it is a change."""
    [before] = _parse(home, 1)
    added = _write(home, "one-more", ["late-comer"])
    [after] = _parse(home, 1)
    added.unlink()
    assert after["dags"][ROTATE] != before["dags"][ROTATE]
