"""How long a hundred mapped tasks take in a real Airflow: doing nothing, looking up connections, rotating.

They take turns in one Airflow (LocalExecutor, SQLite), each as a run of plan, mapped tasks and report.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from statistics import median

from sandbox.demo.warehouse import PROJECTS, Warehouse
from sandbox.places import PLUGINS, ROOT
from sandbox.sandbox import Sandbox
from scenes.airflow.office import DAGS, ROTATE, Office

EMPTY, ROTATING = "doing nothing", "a rotation each"
LOOKING_UP, STORED = "two lookups each", "two lookups each, in the metadata database"
WALL = "a run of 100"
TASKS = 100
_DAG = f"""
from airflow.sdk import Connection, dag, task


@task
def plan():
    return list(range({TASKS}))


@task(trigger_rule="all_done")
def report():
    pass


@task
def nothing(number):
    pass


@task
def look_up(number):
    assert Connection.get("x").password and Connection.get("y").password


@task
def look_up_stored(number):
    assert Connection.get("stored_x").password and Connection.get("stored_y").password


@dag(dag_id="{{name}}")
def bench():
    {{task}}.expand(number=plan()) >> report()


bench()
"""
_ENTRIES = """\
credentials:
  - name: bench-admin
    engine: postgres
    principal: bench_rotator
    target: &target {{host: localhost, port: {port}, sslrootcert: {ca}}}
    vault: {{key: rotation/bench_admin, project: rotation-admin, format: json}}
    policy: manual
    owner: bench
"""
_ENTRY = """\
  - name: {name}
    engine: postgres
    principal: {name}
    target: *target
    admin: bench-admin
    vault: {{key: bench/{name}, project: data-platform, format: json}}
    policy: manual
    owner: bench
"""
_BENCHED = ("nothing", "look_up", "look_up_stored")
_NAMES = [f"bench_{number}" for number in range(TASKS)]


def runs(folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds from the start of the run to its end: medians."""
    with Sandbox(folder) as sandbox:
        office = _office(sandbox)
        taken: dict[str, list[float]] = {EMPTY: [], LOOKING_UP: [], STORED: [], ROTATING: []}
        for round_ in range(rounds + 1):
            for kind, dag, conf in (
                (EMPTY, "bench_nothing", {}),
                (LOOKING_UP, "bench_look_up", {}),
                (STORED, "bench_look_up_stored", {}),
                (ROTATING, ROTATE, {"credentials": _NAMES}),
            ):
                figure = _seconds(office, dag, conf)
                if round_:  # the first of each begins more than it repeats
                    taken[kind].append(figure)
        return {WALL: {kind: median(figures) for kind, figures in taken.items()}}


def _seconds(office: Office, dag: str, conf: Mapping[str, object]) -> float:
    run = office.api.trigger(dag, conf)
    assert office.api.wait(dag, run, within=600) == "success", f"{dag} {run} failed"
    [row] = [one for one in office.api.runs(dag) if one["dag_run_id"] == run]
    began, ended = (datetime.fromisoformat(row[when].replace("Z", "+00:00")) for when in _WHEN)
    return (ended - began).total_seconds()


_WHEN = ("start_date", "end_date")


def _office(sandbox: Sandbox) -> Office:
    warehouse = Warehouse(sandbox, read_by_airflow=True)
    include = warehouse.build(ROOT)
    _fill(sandbox, include)
    dags = sandbox.run_directory / "dags"
    dags.mkdir()
    for file in (ROOT / "dags").glob("*.py"):
        (dags / file.name).write_bytes(file.read_bytes())
    for task in _BENCHED:
        (dags / f"{task}.py").write_text(_DAG.format(name=f"bench_{task}", task=task))
    airflow = sandbox.start_airflow(env=warehouse.environment(), dags=dags, plugins=PLUGINS, include=include)
    benches = [f"bench_{task}" for task in _BENCHED]
    airflow.api.wait_for_dags(*DAGS, *benches)
    for dag in (ROTATE, *benches):
        airflow.api.unpause(dag)
    for name in ("stored_x", "stored_y"):
        airflow.api.add_connection(name, conn_type="postgres", host="db", login="etl", password="pw")
    office = Office(sandbox, warehouse)
    office.run(ROTATE)  # the scheduled first tick is over when this one is
    return office


def _fill(sandbox: Sandbox, include: Path) -> None:
    """A hundred roles, two connections, and nothing that keeps a run from rotating all of them."""
    postgres, admin = sandbox.postgres, secrets.token_urlsafe(18)
    entries = _ENTRIES.format(port=postgres.port, ca=postgres.ca_file)
    for name in _NAMES:
        first = secrets.token_urlsafe(18)
        postgres.create_role(name, first)
        sandbox.bitwarden.put_secret(
            project=PROJECTS[0], key=f"bench/{name}", value=json.dumps({"username": name, "password": first})
        )
        entries += _ENTRY.format(name=name)
    postgres.create_rotator(admin, over=_NAMES, name="bench_rotator")
    sandbox.bitwarden.put_secret(
        project="rotation-admin",
        key="rotation/bench_admin",
        value=json.dumps({"username": "bench_rotator", "password": admin}),
    )
    for name in ("x", "y"):
        value = json.dumps({"conn_type": "postgres", "host": "db", "login": "etl", "password": "pw"})
        sandbox.bitwarden.put_secret(project=PROJECTS[0], key=f"airflow/connections/{name}", value=value)
    (include / "credentials" / "bench.yaml").write_text(entries)
    policies = include / "policies.yaml"
    policies.write_text(policies.read_text().replace("per_tick: 20", f"per_tick: {2 * TASKS}"))
