"""What an inventory costs: read anew, again while nothing has changed, for the form, and one entry of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from unittest import mock

from credential_rotation.inventory.kept import lanes_by_engine, names_by_engine, read_entry, read_inventory

SIZES = (10, 1_000, 10_000)
ANEW, AGAIN, FORM, ENTRY = "read anew", "with nothing changed", "for the form", "one entry"
TIMES = 5
_FILES = 100
_ENTRY = """\
  - name: role-{0}
    engine: postgres
    principal: role_{0}
    target: {{host: db.internal, port: 5432, dbname: warehouse, sslmode: verify-full}}
    admin: {{airflow_connection: rotator}}
    vault: {{key: airflow/connections/role_{0}, project: {1}, format: airflow-connection}}
    policy: {{max_age: 90d, grace: 1d}}
    consumers: [{{airflow_connection: role_{0}}}]
    owner: data-platform
    tags: [prod]
"""


def inventories(folder: Path) -> dict[str, dict[str, float]]:
    """Milliseconds of the processor, by size: medians, but for what is read anew."""
    folder.mkdir()
    with mock.patch("tempfile.tempdir", str(folder)):  # what is kept goes with the bench
        return {f"{size:,} entries": _figures(written(folder / str(size), size)) for size in SIZES}


def written(include: Path, size: int, project: str = "data-platform") -> Path:
    """An inventory of so many entries, in a hundred files."""
    (include / "credentials").mkdir(parents=True)
    per_file = max(size // _FILES, 1)
    for first in range(0, size, per_file):
        entries = "".join(_ENTRY.format(number, project) for number in range(first, first + per_file))
        (include / "credentials" / f"{first:05}.yaml").write_text(f"credentials:\n{entries}")
    return include


def _figures(include: Path) -> dict[str, float]:
    anew = _taken(lambda: read_inventory(include))
    return {
        ANEW: anew,
        AGAIN: _median(lambda: read_inventory(include)),
        FORM: _median(lambda: (names_by_engine(include), lanes_by_engine(include))),
        ENTRY: _median(lambda: read_entry(include, "role-7")),
    }


def _median(work: Callable[[], object]) -> float:
    return median(_taken(work) for _ in range(TIMES))


def _taken(work: Callable[[], object]) -> float:
    began = time.process_time()
    assert work()
    return (time.process_time() - began) * 1000
