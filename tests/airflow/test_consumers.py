"""Consumers asked by a real task of a real Airflow: what tasks get, how DAGs fared. One Airflow for all."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest

from sandbox.airflow import AirflowSandbox
from sandbox.airflow_api import AirflowApi
from sandbox.places import PLUGINS
from sandbox.postgres import PostgresServer
from scenes.airflow.office import Ended

pytestmark = [pytest.mark.airflow, pytest.mark.feature]

DAGS = """
import json, os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from airflow.sdk import dag, get_current_context, task

@dag(schedule=None)
def ask():
    @task
    def ask_them():
        from credential_rotation.probes.consumers import EntryConsumers
        from credential_rotation.model import (
            Consumer, Credential, Current, Policy, Secret, Strategy, Target, VaultPlace,
        )
        conf = get_current_context()["dag_run"].conf
        now = datetime.now(timezone.utc)
        value = Path(os.environ["CURRENT_FILE"]).read_text()
        stored = now - timedelta(seconds=conf["age"])
        current = Current("id", "key", Secret("etl", value), stored, 1, "a", "", "")
        consumers = tuple(Consumer(kind, name) for kind, name in conf["consumers"])
        entry = Credential(
            "etl", "postgres", Strategy.IN_PLACE, ("etl",), Target("localhost", {}),
            VaultPlace("p", "password", "k"), Policy("manual"), "me", "here:1", consumers=consumers,
        )
        asked = EntryConsumers(entry, lambda: now).check(current, None)
        return [[one.where, one.answer.value, one.why] for one in asked]
    ask_them()

def load(name):
    @dag(dag_id=name, schedule=None)
    def made():
        @task
        def work():
            if get_current_context()["dag_run"].conf.get("fail"):
                raise ValueError("this load is to fail")
        work()
    made()

ask()
load("nightly_load")
load("other_load")
"""


@dataclass(frozen=True)
class Floor:
    """An Airflow whose connections come from its environment, and a PostgreSQL."""

    airflow: AirflowSandbox
    value: str
    others: tuple[str, ...]
    """What else is in connections."""

    @property
    def api(self) -> AirflowApi:
        return self.airflow.api

    def ask(self, *consumers: tuple[str, str], age: timedelta = timedelta(hours=1)) -> Ended:
        run = self.api.trigger("ask", {"consumers": consumers, "age": age.total_seconds()})
        return Ended(self.api, "ask", run, self.api.wait("ask", run, within=120))

    def answers(
        self, *consumers: tuple[str, str], age: timedelta = timedelta(hours=1)
    ) -> list[tuple[str, str]]:
        """Answer and reason of each."""
        ended = self.ask(*consumers, age=age)
        told = self.api.xcom("ask", ended.run, "ask_them")
        assert [where for where, _, _ in told] == [
            f"{kind.replace('_', ' ')} {name}" for kind, name in consumers
        ]
        return [(answer, why) for _, answer, why in told]

    def load(self, dag: str, *, fail: bool = False) -> str:
        """A run as a person starts it at the page, which gives it a logical date."""
        wish = {"logical_date": datetime.now(timezone.utc).isoformat(), "conf": {"fail": fail}}
        run = str(self.api._ask("POST", f"/api/v2/dags/{quote(dag)}/dagRuns", json=wish)["dag_run_id"])
        return self.api.wait(dag, run)


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    tree = tmp_path_factory.mktemp("tree")
    (tree / "dags").mkdir()
    (tree / "dags" / "consumers.py").write_text(DAGS)
    value, other = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    (tree / "current").write_text(value)
    with ExitStack() as ending:
        postgres = ending.enter_context(PostgresServer(tree / "postgres"))
        postgres.create_role("etl", value)
        silent = ending.enter_context(socket.create_server(("127.0.0.1", 0)))
        env = {
            **connections(postgres, value, other, silent.getsockname()[1]),
            "CURRENT_FILE": str(tree / "current"),
        }
        running = AirflowSandbox(
            tmp_path_factory.mktemp("airflow") / "home", env=env, dags=tree / "dags", plugins=PLUGINS
        )
        ending.enter_context(running)
        running.api.wait_for_dags("ask", "nightly_load", "other_load")
        for dag in ("ask", "nightly_load"):
            running.api.unpause(dag)
        yield Floor(running, value, (other,))


def connections(postgres: PostgresServer, value: str, other: str, silent: int) -> dict[str, str]:
    """AIRFLOW_CONN_… for each case."""
    tls = {"sslmode": "verify-full", "sslrootcert": str(postgres.ca_file), "hostaddr": "127.0.0.1"}
    right = {
        "conn_type": "postgres",
        "host": postgres.host,
        "port": postgres.port,
        "schema": "postgres",
        "login": "etl",
        "password": value,
        "extra": tls,
    }
    cases: dict[str, dict[str, object]] = {
        "warehouse_etl": right,
        "stale": {**right, "password": other},
        "no_database": {**right, "schema": "nowhere"},
        "silent": {**right, "host": "127.0.0.1", "port": silent, "extra": {}},
        "no_provider": {**right, "conn_type": "mysql"},
    }
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in cases.items()}


def connection(name: str) -> tuple[str, str]:
    return "airflow_connection", name


def test_the_connection_that_tasks_get_logs_in_with_the_new_value(floor: Floor) -> None:
    """Airflow's own hook connects to PostgreSQL."""
    assert floor.answers(connection("warehouse_etl")) == [
        ("works", "holds CURRENT, and PostgresHook connects with it")
    ]


def test_a_connection_that_is_none_of_ours_to_prove_is_told_by_what_is_wrong(floor: Floor) -> None:
    """Another value, a database that is not there, a provider that is not installed, no such connection."""
    names = ("stale", "no_database", "no_provider", "not_there")
    stale, no_database, no_provider, not_there = floor.answers(*map(connection, names))
    assert stale[0] == "refused"
    assert stale[1].startswith("reads another value: its password is not CURRENT's")
    assert no_database[0] == "refused"
    assert no_database[1].startswith("Airflow's test of it fails (PostgresHook); it holds CURRENT, so see to")
    assert no_provider[0] == "unknown"
    assert no_provider[1].startswith("Airflow has no hook for connection type 'mysql'")
    assert not_there[0] == "unknown"
    assert not_there[1].startswith("tasks do not get it (AirflowNotFoundException)")


def test_a_hook_that_hangs_freezes_neither_the_task_nor_its_end(floor: Floor) -> None:
    """A server that takes connections and says nothing; those after it are asked all the same."""
    began = datetime.now(timezone.utc)
    hanging, well = floor.answers(connection("silent"), connection("warehouse_etl"))
    assert hanging == ("unknown", "Airflow's test of it has not ended within 15 s")
    assert well[0] == "works"
    assert datetime.now(timezone.utc) - began < timedelta(seconds=40)


def test_a_dag_is_proved_by_a_run_that_began_after_the_value_was_stored(floor: Floor) -> None:
    """Not by the one before, not after one that failed, and again after one that went well."""
    dag, stored = ("dag", "nightly_load"), timedelta(minutes=2)
    assert floor.answers(dag)[0][0] == "unknown"
    assert floor.load("nightly_load") == "success"
    ((answer, why),) = floor.answers(dag, age=timedelta(0))
    assert (answer, why[:32]) == ("unknown", "no run of it has begun and ended")
    ((answer, why),) = floor.answers(dag, age=stored)
    assert (answer, why[-10:]) == ("works", "ended well")
    assert floor.load("nightly_load", fail=True) == "failed"
    ((answer, why),) = floor.answers(dag, age=stored)
    assert (answer, "failed; see in its log" in why) == ("refused", True)
    assert floor.load("nightly_load") == "success"
    assert floor.answers(dag, age=stored)[0][0] == "works"


def test_a_dag_that_cannot_run_says_why(floor: Floor) -> None:
    """Paused, or of no such name."""
    paused, nowhere = floor.answers(("dag", "other_load"), ("dag", "nigthly_load"))
    assert (paused[0], paused[1].rpartition("; ")[2]) == ("unknown", "it is paused")
    assert (nowhere[0], nowhere[1].rpartition("; ")[2]) == ("unknown", "Airflow knows no DAG of this name")


def test_no_value_is_in_what_the_probes_leave_behind(floor: Floor) -> None:
    """XCom, the task's log, and every component's output, where Airflow masks nothing."""
    names = ("warehouse_etl", "stale", "no_database", "no_provider", "not_there")
    ended = floor.ask(*map(connection, names))
    seen = ended.log("ask_them") + json.dumps(floor.api.xcom("ask", ended.run, "ask_them"))
    seen += "".join(floor.airflow.log(part) for part in ("scheduler", "api-server", "dag-processor"))
    assert "reads another value" in seen
    assert not [value for value in (floor.value, *floor.others) if value in seen]
