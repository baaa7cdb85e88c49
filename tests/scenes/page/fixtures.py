"""pytest fixture: an Airflow with the page for the tests of a file, and a browser.

No longer than for a file: Playwright keeps an event loop running, beside which others cannot be.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from sandbox.demo.warehouse import Warehouse
from sandbox.places import PLUGINS, ROOT
from sandbox.sandbox import Sandbox
from scenes.airflow.office import DAGS, Office
from scenes.page import browser as seen
from scenes.page.desk import Desk
from scenes.page.fleet import fill

USERS = {"admin": "admin", "viewer": "viewer", "op": "op"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    seen.needs_chromium()
    tmp = tmp_path_factory.mktemp("desk")
    state = _past(tmp)
    with Sandbox(tmp / "sandbox") as sandbox, seen.chromium() as browser:
        warehouse = Warehouse(sandbox)
        include = warehouse.build(ROOT)
        _with_a_pool(include)
        users = ",".join(f"{name}:{role}" for name, role in USERS.items())
        more = {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": users, "ROTATION_STATE_PATH": str(state)}
        running = sandbox.start_airflow(
            env=warehouse.environment() | more, dags=ROOT / "dags", plugins=PLUGINS, include=include
        )
        running.api.wait_for_dags(*DAGS)
        passwords = json.loads(running.settings.passwords_file.read_text())
        yield Desk(Office(sandbox, warehouse), browser, passwords, state)


def _with_a_pool(include: Path) -> None:
    """The first entry, `warehouse-etl`: one that every Airflow has."""
    file = include / "credentials" / "warehouse.yaml"
    owner = "    owner: data-platform\n"
    file.write_text(file.read_text().replace(owner, f"{owner}    pool: default_pool\n", 1))


def _past(tmp: Path) -> Path:
    """Three folders with the same past, for a page remembers days that are over: Airflow's own first."""
    now = datetime.now(timezone.utc)
    fill({"ROTATION_STATE_PATH": str(tmp / "dozen")}, 12, now)
    shutil.copytree(tmp / "dozen", tmp / "own")
    shutil.rmtree(tmp / "own" / "status")
    fill({"ROTATION_STATE_PATH": str(tmp / "thousand")}, 1000, now)
    (tmp / "state").symlink_to(tmp / "own")
    return tmp / "state"
