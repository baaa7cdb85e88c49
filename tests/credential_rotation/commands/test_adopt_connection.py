"""`adopt --from-connection`: an Airflow connection's value comes under management as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scenes.site.deployment import Site

pytest_plugins = ["scenes.airflow.imported", "scenes.site.fixtures"]
pytestmark = pytest.mark.usefixtures("airflow")


def connection(site: Site, **changed: object) -> str:
    """As tasks have it today, with what only they know of it."""
    fields: dict[str, object] = {
        "conn_type": "postgres",
        "host": "localhost",
        "port": site.postgres.port,
        "schema": "warehouse",
        "login": site.role("etl"),
        "password": site.first["etl"],
        "extra": {"sslmode": "verify-full", "keepalives": 1},
    }
    return json.dumps({**fields, **changed})


def adopt(site: Site, monkeypatch: pytest.MonkeyPatch, **changed: object) -> dict[str, object]:
    monkeypatch.setenv("AIRFLOW_CONN_OLD_ETL", connection(site, **changed))
    ran = site.run("adopt", "etl", "--from-connection", "old_etl", "--json")
    return {"code": ran.code, "said": ran.told("etl"), **ran.outcomes["etl"]}


def test_the_value_is_current_and_recorded_and_still_logs_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has changed on the target; database, port and extra went along."""
    before = site.roles()
    found = adopt(site, monkeypatch)
    assert (found["code"], found["outcome"], found["version"]) == (0, "adopted", 0)
    assert site.roles() == before
    stored = json.loads(site.current().value)
    assert stored == json.loads(connection(site))
    assert len(site.records("etl")) == 1
    assert site.run("verify", "etl").code == 0


def test_the_next_rotation_replaces_it_and_keeps_what_readers_need(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is due at once, as every value whose age nobody knows."""
    adopt(site, monkeypatch)
    assert site.run("plan", "etl", "--json").words == {"etl": "planned"}
    assert site.run("rotate", "etl").code == 0
    stored = json.loads(site.current().value)
    assert stored.pop("password") != site.first["etl"]
    assert stored["extra"] == {"sslmode": "verify-full", "keepalives": 1}
    assert not site.logs_in("etl", site.first["etl"])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"password": "wrong-one-that-nobody-has"}, "refuses the value that was to be adopted"),
        ({"login": "somebody"}, "another user"),
        ({"host": "elsewhere"}, "another host"),
        ({"port": 1}, "another port"),
        ({"password": ""}, "no login or no password"),
    ],
)
def test_what_does_not_fit_or_work_writes_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, changed: dict[str, object], words: str
) -> None:
    """Vault and target are as they were."""
    before = site.everything()
    found = adopt(site, monkeypatch, **changed)
    assert words in str(found["said"])
    assert found["code"] in {1, 2}
    assert site.everything() == before


def test_a_connection_that_is_not_there_is_told(site: Site) -> None:
    ran = site.run("adopt", "etl", "--from-connection", "nobody", "--json")
    assert "'nobody' cannot be read" in ran.told("etl")


def test_where_something_is_stored_it_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """CURRENT is never replaced by what somebody brings."""
    site.run("rotate", "etl")
    before = site.everything()
    found = adopt(site, monkeypatch)
    assert (found["outcome"], "is stored already" in str(found["said"])) == ("refused", True)
    assert site.everything() == before


def test_a_connection_in_airflows_database_is_found_from_a_shell(site: Site, tmp_path: Path) -> None:
    """Where most connections are: no task runs that could ask Airflow's API for it."""
    environ = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    for arguments in (
        ("db", "migrate"),
        ("connections", "add", "old_etl", "--conn-json", connection(site)),
    ):
        command = [sys.executable, "-m", "airflow", *arguments]
        subprocess.run(command, env=environ, check=True, capture_output=True, timeout=120)
    site.environ |= {name: environ[name] for name in ("AIRFLOW_HOME", "AIRFLOW__CORE__LOAD_EXAMPLES")}
    ran = site.run_process("adopt", "etl", "--from-connection", "old_etl", "--json")
    assert (ran.code, ran.words) == (0, {"etl": "adopted"})
    assert site.password() == site.first["etl"]
