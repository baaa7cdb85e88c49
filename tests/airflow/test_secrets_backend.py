"""The secrets backend in a real Airflow: what tasks get, while nothing is wrong and while something is.

One Airflow for all tests of this file.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest

from credential_rotation_plugin import LOADED_AHEAD
from sandbox.airflow_api import Refused
from sandbox.bitwarden.faults import Fault
from sandbox.demo.warehouse import PROJECTS, ROLES, Warehouse
from sandbox.places import PLUGINS, ROOT
from sandbox.sandbox import Sandbox
from scenes.airflow.office import DAGS, RECORD, ROTATE, Ended, Office

pytestmark = [pytest.mark.airflow, pytest.mark.feature]

ETL, PAIR = ROLES[0], ROLES[3]
IS_TOLD = version("apache-airflow-core").split(".")[:2] != ["3", "1"]
"""Airflow 3.1 has no error that ends its search: there the reason is in the log (`make older`)."""
ADDRESSES = "airflow.providers.postgres.assets.postgres"
"""What Airflow imports of this provider for the first asset that a process makes."""
BY_HAND = """\
credentials:
  - name: signing-key
    engine: manual
    instructions: Make a new one in the HSM.
    policy: {max_age: 365d}
    owner: security
"""
READER = """
from airflow.sdk import Connection, Variable, dag, get_current_context, task

@dag(schedule=None)
def reader():
    @task(show_return_value_in_logs=False)
    def log_in():
        "What a load does: take the connection, log in, say who one is."
        import psycopg
        found = Connection.get("warehouse_etl")
        with psycopg.connect(host=found.host, port=found.port, user=found.login, password=found.password,
                             dbname="postgres", sslmode="require") as session:
            return session.execute("SELECT current_user").fetchone()[0]

    @task.bash
    def template():
        return "echo user={{ conn.warehouse_etl.login }} colour={{ var.value.colour }}"

    @task
    def default():
        return Variable.get("nowhere", default="the default")

    @task
    def loaded():
        import sys
        return sorted(sys.modules)

    log_in(), template(), default(), loaded()

@dag(schedule=None)
def cold():
    @task
    def connection():
        Connection.get("cold")

    @task
    def variable():
        return Variable.get("cold", default="the default")

    connection(), variable()

@dag(schedule=None)
def many():
    @task
    def read(number):
        assert Connection.get("warehouse_etl").password == Connection.get("warehouse_etl").password
    read.expand(number=list(range(20)))

reader(), cold(), many()
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    dags = tmp_path_factory.mktemp("tree") / "dags"
    shutil.copytree(ROOT / "dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
    (dags / "reader.py").write_text(READER)
    with Sandbox(tmp_path_factory.mktemp("office")) as sandbox:
        warehouse = Warehouse(sandbox, read_by_airflow=True)
        include = warehouse.build(ROOT)
        (include / "credentials" / "by_hand.yaml").write_text(BY_HAND)
        sandbox.bitwarden.put_secret(project=PROJECTS[0], key="airflow/variables/colour", value="blue")
        sandbox.bitwarden.put_secret(project=PROJECTS[0], key="airflow/connections/cold", value="aws://")
        sandbox.bitwarden.put_secret(project=PROJECTS[0], key="airflow/variables/cold", value="there")
        environment = warehouse.environment() | {"BITWARDEN_DEADLINE": "2s"}
        running = sandbox.start_airflow(env=environment, dags=dags, plugins=PLUGINS, include=include)
        running.api.wait_for_dags(*DAGS, "reader", "cold", "many")
        for dag in ("reader", "cold", "many"):
            running.api.unpause(dag)
        office = Office(sandbox, warehouse)
        running.api.unpause(ROTATE)
        office.run(ROTATE)  # the scheduled first tick may be under way; it is over when this one is
        yield office


def _returned(ended: Ended, task: str, key: str = "return_value") -> Any:  # noqa: ANN401 - whatever it is
    return ended.api.xcom(ended.dag, ended.run, task, key=key)


def test_tasks_get_connections_and_variables_from_bitwarden(office: Office) -> None:
    """In code and in templates; a miss is one, and takes the default."""
    ended = office.run("reader")
    assert set(ended.states().values()) == {"success"}
    assert _returned(ended, "log_in") == "etl"
    assert _returned(ended, "template") == "user=etl colour=blue"
    assert _returned(ended, "default") == "the default"


def test_tasks_find_loaded_what_each_would_load_again(office: Office) -> None:
    """The scheduler, from which they are forked, has loaded driver, backend and rotation for all of them."""
    ended = office.run("reader")
    assert {*LOADED_AHEAD, ADDRESSES} <= set(_returned(ended, "loaded"))


def test_what_is_rotated_is_what_tasks_get_next(office: Office) -> None:
    """The rotation is green only where the connection that tasks get holds and accepts the new value."""
    before = office.warehouse.stored(ETL)
    ended = office.run(ROTATE, credentials=[ETL.name, PAIR.name])
    outcome = ended.outcome(f"rotate[{ETL.name}]")
    assert outcome["outcome"] == "rotated", outcome["reason"]
    assert office.warehouse.stored(ETL) != before
    assert _returned(office.run("reader"), "log_in") == "etl"


def test_h1_what_a_person_has_changed_by_hand_is_said_under_their_login(office: Office) -> None:
    """Here, because this file is also run on older Airflows and on Celery; the rest is in tests/browser."""
    with pytest.raises(Refused):
        office.run(RECORD, credential="warehouse-elt", done="close", reason="x")
    ended = office.run(RECORD, credential="signing-key", done="close", reason="made anew")
    assert ended.state == "success", ended.log("record")
    outcome = _returned(ended, "record", key="outcome")
    assert (outcome["outcome"], outcome["version"]) == ("closed", 1)
    state = office.sandbox.airflow.home / "credential_rotation_state"
    [closing] = [json.loads(file.read_text()) for file in (state / "closings").iterdir()]
    assert (closing["by"], closing["why"]) == ("admin", "made anew")


def test_many_tasks_are_one_login_and_one_read(office: Office) -> None:
    """The agent on the host answers the others."""
    office.run("reader")
    office.sandbox.bitwarden.clear_requests()
    ended = office.run("many")
    assert ended.state == "success"
    paths = [line.path for line in office.sandbox.bitwarden.requests()]
    assert not [path for path in paths if "connect/token" in path]
    assert len([path for path in paths if path.startswith("/api/secrets/")]) <= 4  # cache_seconds is 5


def test_when_bitwarden_hangs_tasks_end_with_the_reason_and_no_default(office: Office) -> None:
    """Airflow would say "isn't defined", and take the default of a variable that is there."""
    office.sandbox.bitwarden.fault(Fault("hang", verb="GET", path="/api/secrets/*"))
    try:
        ended = office.run("cold")
    finally:
        office.sandbox.bitwarden.clear_faults()
    assert ended.states() == {"connection": "failed", "variable": "failed" if IS_TOLD else "success"}
    for task in ended.states():
        log = ended.log(task)
        assert "no answer within 2 s" in log
        assert ("isn't defined" in log) == (task == "connection" and not IS_TOLD)
    assert set(office.run("cold").states().values()) == {"success"}


def test_no_value_is_in_any_log(office: Office) -> None:
    """What tasks read is masked by nobody: it is not written."""
    value = office.warehouse.stored(ETL).password
    logs = "".join(path.read_text(errors="replace") for path in office.sandbox.airflow.home.rglob("*.log"))
    assert len(logs) > 10_000
    assert value not in logs
