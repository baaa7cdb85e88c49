"""Lets an Airflow and its credentials look as they would if nothing had run for weeks."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone

from sandbox.demo.warehouse import JOURNAL, SETTLE, Role
from sandbox.kept import wait_until
from scenes.airflow.office import Office

_SECOND = "%Y%m%dT%H%M%SZ"
_DATES = ("logical_date", "run_after", "data_interval_start", "data_interval_end", "start_date", "end_date")


def ran_last(office: Office, dag: str, ago: timedelta) -> None:
    """The scheduled runs of a DAG are so much older, under other ids; when it runs next follows from them."""
    path = office.sandbox.airflow.home / "airflow.db"
    scheduled = "SELECT run_id FROM dag_run WHERE dag_id = ? AND run_type = 'scheduled'"
    older = f"-{int(ago.total_seconds())} seconds"
    moved = ", ".join(f"{one} = strftime('%Y-%m-%d %H:%M:%f000', {one}, '{older}')" for one in _DATES)
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        runs = database.execute(scheduled, (dag,)).fetchall()
        assert runs
        for (run,) in runs:
            database.execute(f"UPDATE dag_run SET {moved} WHERE dag_id = ? AND run_id = ?", (dag, run))  # noqa: S608 - our names
        for table in tables:
            columns = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
            for (run,) in runs if {"dag_id", "run_id"} <= columns else ():
                renamed = f"UPDATE {table} SET run_id = ? WHERE dag_id = ? AND run_id = ?"  # noqa: S608 - Airflow's names
                database.execute(renamed, (f"{run}-older", dag, run))


def grew_old(office: Office, role: Role, ago: timedelta) -> None:
    """Its newest version was made so long ago, as its record says."""
    bitwarden = office.sandbox.bitwarden
    mine = [one for one in bitwarden.secrets(JOURNAL) if one.key.startswith(f"rotation/{role.name}/")]
    record = max((one for one in mine if not one.deleted), key=lambda one: one.key)
    fields = json.loads(record.value)
    written = datetime.fromisoformat(fields["written"]) - ago
    first, name, epoch, _, attempt = record.key.split("/")
    key = "/".join((first, name, epoch, written.strftime(_SECOND), attempt))
    bitwarden.edit_secret(record.id, key=key, value=json.dumps(fields | {"written": written.isoformat()}))


@contextmanager
def by_policy(office: Office, *, per_tick: int) -> Iterator[None]:
    """The hourly tick decides, and takes no more than so many; else all is `manual`."""
    include = office.sandbox.airflow.include
    entries, policies = include / "credentials" / "warehouse.yaml", include / "policies.yaml"
    before = {file: file.read_text() for file in (entries, policies)}
    ours, admin_begins, admin = before[entries].rpartition("  - name: warehouse-admin")
    entries.write_text(ours.replace("policy: manual", "policy: monthly") + admin_begins + admin)
    policies.write_text(before[policies].replace("per_tick: 20", f"per_tick: {per_tick}"))
    try:
        yield
    finally:
        for file, text in before.items():
            file.write_text(text)


def scheduled(office: Office, dag: str) -> list[str]:
    """The ids of the runs that nobody asked for."""
    return [one["dag_run_id"] for one in office.api.runs(dag) if one["run_type"] == "scheduled"]


def begun_since(office: Office, dag: str, earlier: list[str]) -> list[str]:
    """Further runs by schedule, each of them over and green; there is at least one."""

    def further() -> list[str]:
        return [one for one in scheduled(office, dag) if one not in earlier]

    wait_until(further, "a run by schedule", within=60)
    found = further()
    assert [office.api.wait(dag, one) for one in found] == ["success"] * len(found)
    return found


def settled(since: datetime) -> None:
    """A write of then can no longer land; who sees a record with a new date waits for that."""
    over = since + 2 * timedelta(seconds=int(SETTLE.rstrip("s")))
    wait_until(lambda: datetime.now(timezone.utc) > over, "settling", within=60)
