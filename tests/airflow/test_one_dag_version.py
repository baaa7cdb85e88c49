"""FIELD E3: a DAG has one version until the inventory really changes (runs between: test_ways_in.py)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from scenes.airflow import DAGS, ROOT, ROTATE

pytestmark = pytest.mark.airflow

PARSES = 20
_ENTRY = """\
  - name: {name}
    engine: postgres
    principal: {name}
    target: {{host: db.internal, dbname: {name}}}
    vault: {{key: {name}/database, project: data-platform, format: json}}
    policy: quarterly
    owner: data-platform
    tags: [prod, eu, {name}]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folders, and an inventory of thirty entries in ten files."""
    home = tmp_path_factory.mktemp("versions") / "home"
    for name in ("dags", "plugins", "include"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in range(10):
        _write(home, f"file{file}", [f"role-{file}-{one}" for one in range(3)])
    return home


def _write(home: Path, file: str, names: list[str]) -> Path:
    path = home / "include" / "credentials" / f"{file}.yaml"
    path.write_text("credentials:\n" + "".join(_ENTRY.format(name=name) for name in names))
    return path


def _parse(home: Path, seed: int) -> dict[str, Any]:
    """What Airflow would store at another hour, with other hashes, folders in another order."""
    when = datetime(2026, 3, 1, tzinfo=timezone.utc) + timedelta(hours=17 * seed)
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONHASHSEED": str(seed),
        "PYTHONPATH": str(ROOT / "tests"),
        "TZ": ("UTC", "Asia/Tokyo", "America/Lima")[seed % 3],
    }
    ran = subprocess.run(
        [sys.executable, "-m", "scenes.parse_dags", str(home / "dags"), when.isoformat(), str(seed)],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert said["errors"] == {}
    return said


def test_twenty_parses_make_one_version(home: Path) -> None:
    """Neither hash seed, order of files, hour nor time zone gets into what Airflow stores, to the byte."""
    _parse(home, 0)  # makes the configuration file, once
    with ThreadPoolExecutor(2) as both:
        parsed = list(both.map(lambda seed: _parse(home, seed), range(1, PARSES + 1)))
    assert set(parsed[0]["dags"]) == set(DAGS)
    assert [one for one in parsed if one != parsed[0]] == []


def test_no_dag_is_tied_to_the_commit_of_a_bundle(home: Path) -> None:
    """A run that is cleared uses the inventory of today: test_ways_in.py shows it for one."""
    stored = {name: json.loads(text)["dag"] for name, text in _parse(home, 1)["texts"].items()}
    assert {name: one["disable_bundle_versioning"] for name, one in stored.items()} == dict.fromkeys(
        DAGS, True
    )


def test_an_entry_more_makes_another_version(home: Path) -> None:
    """The form offers it: then it is a change."""
    before = _parse(home, 1)
    added = _write(home, "one-more", ["late-comer"])
    after = _parse(home, 1)
    added.unlink()
    assert after["dags"][ROTATE] != before["dags"][ROTATE]
