"""B9: the key with which Airflow stores its task logs is rotated, and no log is lost.

Airflow's workers fetch that connection outside any task and keep it for their life. Needs the Amazon
provider, which stores the logs: `make logs`, and `make celery` for Celery's workers.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.airflow import AirflowSandbox
from sandbox.airflow_api import AirflowApi
from sandbox.kept import wait_until
from sandbox.places import INCLUDE, PLUGINS, ROOT
from sandbox.sandbox import Sandbox
from scenes.airflow.log_store import ENTRY, GRACE, LogStore
from scenes.airflow.office import RETIRE, ROTATE_CLOUD, Ended

pytestmark = [pytest.mark.airflow, pytest.mark.amazon]

WRITERS = 6
"""Tasks of a run: enough for each of four workers to store a log."""
LINE = "has written this line"
WRITER = f"""
from airflow.sdk import dag, task

@dag(schedule=None)
def writer():
    @task
    def write(number):
        import time
        time.sleep(2)  # so that no worker takes them all
        print(f"task {{number}} {LINE}")
    write.expand(number=list(range({WRITERS})))

writer()
"""


class Office(NamedTuple):
    """A real Airflow whose logs go to the AWS stand-in."""

    airflow: AirflowSandbox
    store: LogStore

    @property
    def api(self) -> AirflowApi:
        return self.airflow.api

    def run(self, dag: str) -> Ended:
        """Trigger and wait."""
        run = self.api.trigger(dag)
        return Ended(self.api, dag, run, self.api.wait(dag, run, within=120))

    def write(self) -> str:
        """A run of tasks that write a line each."""
        ended = self.run("writer")
        assert ended.state == "success"
        return ended.run

    def tick(self, dag: str) -> None:
        """Switch it on; its first scheduled run is over then, or two where its hour begins meanwhile."""
        self.api.unpause(dag)
        wait_until(
            lambda: {one["state"] for one in self.api.runs(dag)} == {"success"}, f"a tick of {dag}", within=60
        )

    def retire(self) -> dict[str, str]:
        """What came of it for the key."""
        outcome: dict[str, str] = self.run(RETIRE).outcome(f"retire[{ENTRY}]")
        return outcome

    def shown(self, run: str, number: int) -> str:
        """A task's log as the page has it."""
        return self.api.task_log("writer", run, "write", map_index=number)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    pytest.importorskip("airflow.providers.amazon", reason="needs the Amazon provider: make logs")
    dags = tmp_path / "dags"
    shutil.copytree(ROOT / "dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
    (dags / "writer.py").write_text(WRITER)
    with Sandbox(tmp_path / "office") as sandbox:
        store = LogStore(sandbox)
        include = store.build(INCLUDE)
        running = sandbox.start_airflow(env=store.environment(), dags=dags, plugins=PLUGINS, include=include)
        running.api.wait_for_dags(ROTATE_CLOUD, RETIRE, "writer")
        running.api.unpause("writer")
        yield Office(running, store)


def test_no_task_log_is_lost_while_the_key_that_stores_them_is_rotated(office: Office) -> None:
    """Retire names the processes that hold the old key, and waits until they have been restarted."""
    store = office.store
    runs = [office.write()]
    assert LINE in office.shown(runs[0], 0), "the page reads them with the same key"
    [old] = store.keys()

    office.tick(ROTATE_CLOUD)
    assert len(store.keys()) == 2
    runs.append(office.write())
    time.sleep(GRACE)
    office.tick(RETIRE)
    waits = office.retire()
    assert waits["outcome"] == "waiting", waits["reason"]
    assert "outside any task: restart that worker" in waits["reason"]
    assert store.status(old) == "Active"
    runs.append(office.write())

    office.airflow.restart()
    assert office.retire()["outcome"] != "waiting"
    assert store.status(old) == "Inactive"
    runs.append(office.write())

    for run in runs:
        assert [LINE in log for log in store.logs(run)] == [True] * WRITERS
        assert LINE in office.shown(run, WRITERS - 1)
