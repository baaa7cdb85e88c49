"""Ten thousand entries are read in a time that a DAG parse can bear."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from credential_rotation.inventory.inventory import load_entry, load_inventory

pytestmark = pytest.mark.alone

ENTRY = """\
  - name: warehouse-{0}
    engine: postgres
    principal: app_{0}
    target: {{host: db.internal, port: 5432, dbname: warehouse, sslmode: verify-full}}
    admin: {{airflow_connection: rotator}}
    vault: {{key: airflow/connections/warehouse_{0}, project: data-platform, format: airflow-connection}}
    policy: manual
    consumers: [{{airflow_connection: warehouse_{0}}}, {{dag: nightly_load}}]
    owner: data-platform
    tags: [prod]
"""


def inventory_of(include: Path, files: int, entries: int) -> Path:
    (include / "credentials").mkdir(parents=True)
    for file in range(files):
        text = "credentials:\n" + "".join(ENTRY.format(f"{file}-{place}") for place in range(entries))
        (include / "credentials" / f"{file:04}.yaml").write_text(text)
    return include


@pytest.fixture(autouse=True)
def _nothing_of_other_tests_is_collected() -> Iterator[None]:
    """Thousands of tests leave objects behind, and whatever creates much pays for looking through them."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def seconds(include: Path) -> float:
    """Of the processor, and the best of five: other work on the machine only ever adds."""
    return min(_seconds(include) for _ in range(5))


def _seconds(include: Path) -> float:
    start = time.process_time()
    assert load_inventory(include).problems == ()
    return time.process_time() - start


def _plain_seconds(include: Path) -> float:
    texts = [file.read_text() for file in sorted((include / "credentials").iterdir())]
    start = time.process_time()
    for text in texts:
        yaml.load(text, yaml.CSafeLoader)  # the safe loader, in C
    return time.process_time() - start


def test_checking_costs_little_more_than_reading(tmp_path: Path) -> None:
    """All checks and positions together take less than four times what PyYAML's C reader takes alone."""
    include = inventory_of(tmp_path / "include", files=1, entries=1000)
    pairs = [
        (_seconds(include), _plain_seconds(include)) for _ in range(9)
    ]  # in turn: both meet the same noise
    assert statistics.median(checked / read for checked, read in pairs) < 4


def test_time_grows_with_the_number_of_entries_and_not_faster(tmp_path: Path) -> None:
    """Four times the entries, in one file or in many, take about four times as long."""
    small = seconds(inventory_of(tmp_path / "small", files=1, entries=400))
    assert seconds(inventory_of(tmp_path / "big", files=1, entries=1600)) < 8 * small
    assert seconds(inventory_of(tmp_path / "many", files=800, entries=2)) < 8 * small


def test_one_entry_is_read_much_faster_than_all(tmp_path: Path) -> None:
    """A mapped task pays for its own file, not for the inventory."""
    include = inventory_of(tmp_path / "include", files=50, entries=20)
    everything = seconds(include)
    start = time.process_time()
    assert load_entry(include, "warehouse-7-7").name == "warehouse-7-7"
    assert time.process_time() - start < everything / 4
