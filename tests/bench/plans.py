"""What `plan` takes as a command, with ten thousand entries and a vault that has a record of each.

The list of names is Bitwarden's own share: it is taken alone, too, through an agent that is up.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median

from bench.ground import ground_in
from bench.inventories import AGAIN, ANEW, written
from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from credential_rotation.journal.records import key_of
from scenes.site.deployment import Site

SIZE = 10_000
LIST = "the list alone"
WALL = "seconds"
TIMES = 5


def plans(folder: Path) -> dict[str, dict[str, float]]:
    """Seconds: the first one, and medians."""
    folder.mkdir()
    with ground_in(folder) as ground:
        site = Site(ground, folder / "site", 1)
        site.set_up()
        _fill(site)
        client = VaultClient(read_settings(site.environ))
        client.list_projects()  # the agent is up
        return {
            ANEW: {WALL: _taken(lambda: _plan(site))},
            AGAIN: {WALL: median(_taken(lambda: _plan(site)) for _ in range(TIMES))},
            LIST: {WALL: median(_taken(client.list_secrets) for _ in range(TIMES))},
        }


def _fill(site: Site) -> None:
    """Entries, and of each CURRENT and the record of its first version."""
    site.environ["TMPDIR"] = str(site.folder)  # what is kept of an inventory goes with the bench
    shutil.rmtree(site.folder / "credentials")
    written(site.folder, SIZE, site.project("data"))
    value = json.dumps({"username": "role", "password": "x" * 32})
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    for number in range(SIZE):
        current = f"airflow/connections/role_{number}"
        record = key_of(f"role-{number}", epoch=1, written=yesterday, attempt="ab12cd34")
        for key, project in ((current, "data"), (record, "journal")):
            site.bitwarden.put_secret(project=site.projects[project], key=key, value=value)


def _plan(site: Site) -> None:
    ran = site.run_process("plan", "--json")
    assert f"{SIZE} credentials: {SIZE} unchanged" in ran.err, ran.err


def _taken(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
