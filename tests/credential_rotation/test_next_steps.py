"""The next step that a message names is one that helps whoever reads it."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

import pytest

from scenes.site.deployment import Site
from scenes.site.ground import own_agent

pytest_plugins = ["scenes.airflow.imported", "scenes.site.fixtures"]

SIGNING_KEY = """\
  - name: signing-key
    engine: manual
    instructions: make it anew in the HSM
    policy: {max_age: 365d}
    owner: security
"""


def test_another_organisations_id_is_among_the_causes(site: Site) -> None:
    """It is well formed, so that Bitwarden has nothing to show under it and no word about it."""
    other = {"BWS_ORGANIZATION_ID": str(uuid.uuid4())}
    with own_agent(site.ground, site.ground.token, **other) as environ:
        ran = site.run("check", "reporting", "--json", **environ)
    assert ran.code == 2
    assert "BWS_ORGANIZATION_ID" in str(ran.json)


def test_an_untrusted_certificate_is_not_left_to_the_next_run(site: Site, tmp_path: Path) -> None:
    """No run mends it: the authority has to be named."""
    (tmp_path / "other.pem").write_text(site.postgres.ca_file.read_text())
    with own_agent(site.ground, site.ground.token, SSL_CERT_FILE=str(tmp_path / "other.pem")) as environ:
        ran = site.run("check", "reporting", "--json", **environ)
    [mistake] = ran.json["deployment"]
    assert "set SSL_CERT_FILE to that authority's certificate" in mistake


def test_without_airflow_adopting_names_no_admin(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is meant: the connection is the one to adopt."""
    monkeypatch.setitem(sys.modules, "airflow", None)
    monkeypatch.setitem(sys.modules, "airflow.sdk.execution_time.task_runner", None)
    monkeypatch.setitem(sys.modules, "airflow.models.connection", None)
    said = site.run("adopt", "etl", "--from-connection", "old_etl", "--json").told("etl")
    assert "Airflow is not installed here. Run it where Airflow is" in said
    assert "admin" not in said


def test_without_airflow_an_admins_connection_may_become_an_entry(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There an admin is what is missing."""
    site.change_entries("admin: admin", "admin: {airflow_connection: warehouse_admin}")
    monkeypatch.setitem(sys.modules, "airflow", None)
    monkeypatch.setitem(sys.modules, "airflow.models.connection", None)
    said = site.run("rotate", "etl", "--json").told("etl")
    assert "make the admin an entry of the inventory" in said


@pytest.mark.usefixtures("airflow")
@pytest.mark.parametrize(("name", "can_be_set"), [("etl", True), ("reporting", False)])
def test_a_refused_value_may_be_set_anew_only_where_an_admin_can(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    can_be_set: bool,  # noqa: FBT001 - a case
) -> None:
    """A role that changes itself needs a value that logs in."""
    for one in site.secrets():
        if one.key == "reporting/db":
            site.bitwarden.trash(one.id)
    connection = {
        "conn_type": "postgres",
        "host": "localhost",
        "port": site.postgres.port,
        "login": site.role(name),
        "password": "nobody-has-this",
    }
    monkeypatch.setenv("AIRFLOW_CONN_OLD", json.dumps(connection))
    said = site.run("adopt", name, "--from-connection", "old", "--json").told(name)
    assert "refuses the value that was to be adopted" in said
    assert ("let the first rotation set a new value" in said) is can_be_set


def test_what_no_tool_can_change_is_not_sent_back_to_check(site: Site) -> None:
    """`check` lists only what the rotation changes; `status` lists all."""
    site.write_entries(site.entries() + SIGNING_KEY)
    ran = site.run("check", "signing-key")
    assert ran.code == 2
    assert "no tool can change it" in ran.flat
    assert "`status signing-key` tells when it is due." in ran.flat
    assert "`check`" not in ran.flat


def test_a_name_that_is_not_there_is_sent_to_check_without_a_name(site: Site) -> None:
    """Otherwise the same command would be its own remedy."""
    assert "`check` without a name shows every entry" in site.run("check", "reportin").flat


def test_a_first_rotation_without_admin_may_take_the_value_from_airflow(site: Site) -> None:
    """Once it lies in Bitwarden, `adopt --from-connection` refuses."""
    for one in site.secrets():
        if one.key == "reporting/db":
            site.bitwarden.trash(one.id)
    said = site.run("rotate", "reporting", "--json").told("reporting")
    assert "nothing is stored yet" in said
    assert "adopt reporting --from-connection CONN_ID" in said
