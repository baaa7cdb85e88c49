"""A deployment is put together from the environment, and asks nobody before it has to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credential_rotation import wiring
from credential_rotation.errors import BadInput, NotConfigured, VaultTrouble
from credential_rotation.model import Secret
from credential_rotation.policy import Request
from credential_rotation.wiring import open_deployment
from scenes.site.deployment import Site
from scenes.site.ground import own_agent

pytest_plugins = ["scenes.site.fixtures"]


def test_opening_a_deployment_asks_nobody(site: Site) -> None:
    """Nor does reading its inventory or insisting on its settings."""
    site.bitwarden.clear_requests()
    deployment = site.deployment()
    deployment.inventory()
    deployment.bitwarden.insist_on_settings()
    deployment.rotator(deployment.entry("etl"))
    assert site.bitwarden.requests() == []


def test_a_folder_without_entries_is_a_fresh_drop_in(site: Site) -> None:
    """What to fill in is said; half an entry is a mistake, not a fresh drop-in."""
    site.write_entries("credentials: []\n")
    with pytest.raises(NotConfigured) as nothing:
        site.deployment().inventory()
    assert "BWS_ACCESS_TOKEN" in nothing.value.next_step
    site.write_entries("credentials: [{name: etl}]\n")
    assert site.deployment().inventory().problems


def test_no_setting_shows_in_a_deployment_s_text(site: Site) -> None:
    """It holds the token, and may land in a traceback."""
    deployment = site.deployment()
    deployment.bitwarden.insist_on_settings()
    site.said.append(repr(deployment))


def test_the_rotation_s_own_token_wins(site: Site) -> None:
    """Consumers' token lies in the same environment and may read less."""
    weak = site.bitwarden.create_machine_account(f"consumer of {site.number}", {site.project("data"): "read"})
    with own_agent(site.ground, weak) as environ:
        alone = open_deployment({**site.environ, **environ})
        with pytest.raises(VaultTrouble):
            alone.bitwarden.journal_project()
    both = open_deployment(
        {**site.environ, "BWS_ACCESS_TOKEN": weak, "ROTATION_BWS_ACCESS_TOKEN": site.ground.token}
    )
    assert both.bitwarden.journal_project() == site.projects["journal"]


def test_the_admin_s_secret_is_read_when_it_is_needed_and_as_it_is_then(site: Site) -> None:
    """An admin that was rotated a moment ago is used with its new password."""
    deployment = site.deployment()
    rotator = deployment.rotator(deployment.entry("etl"))
    assert site.run("rotate", "admin").code == 0
    rotator.check_privileges(None)


def test_an_admin_may_be_an_airflow_connection(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its login rotates the role like any admin's."""
    asked: list[str] = []

    def secret_of(conn_id: str) -> Secret:
        asked.append(conn_id)
        return Secret(site.role("admin"), site.first["admin"])

    monkeypatch.setattr(wiring, "secret_of", secret_of)
    site.change_entries("admin: admin", "admin: {airflow_connection: warehouse_admin}")
    deployment = site.deployment()
    begin = Request(at=deployment.clock(), by="kim", now=True)
    assert deployment.rotate(deployment.entry("etl"), begin).outcome == "rotated"
    assert asked == ["warehouse_admin"]


def test_a_first_current_says_how_to_connect(site: Site) -> None:
    """Airflow's connection has host, port, database and TLS of the entry's target."""
    site.change_entries("sslrootcert", "dbname: postgres, sslmode: verify-full, sslrootcert")
    assert site.run("rotate", "etl").code == 0
    stored: dict[str, Any] = json.loads(site.current().value)
    assert (stored["host"], stored["port"], stored["schema"]) == ("localhost", site.postgres.port, "postgres")
    assert stored["extra"] == {"sslmode": "verify-full"}


def test_a_project_may_be_written_by_id(site: Site) -> None:
    """The same place by another name."""
    site.run("rotate", "etl")
    site.change_entries(f"project: {site.project('data')}", f"project: {site.projects['data']}")
    ran = site.run("verify", "etl", "--json", ROTATION_JOURNAL_PROJECT=site.projects["journal"])
    assert (ran.words, ran.outcomes["etl"]["version"]) == ({"etl": "ok"}, 1)


def test_known_tells_current_by_key_and_by_id(site: Site) -> None:
    """In the entry's own project; the same key elsewhere is another secret."""
    deployment = site.deployment()
    entries = {name: deployment.entry(name) for name in ("etl", "reporting")}
    site.bitwarden.put_secret(project=site.projects["admins"], key="airflow/connections/etl", value="x")
    known = deployment.known(entries.values())
    assert {name: one.has_current for name, one in known.items()} == {"etl": False, "reporting": True}
    site.change_entries("key: reporting/db", f"id: {site.current('reporting/db').id}")
    assert deployment.known([deployment.entry("reporting")])["reporting"].has_current


def test_an_unset_journal_is_bad_input(site: Site) -> None:
    """Also where somebody asks for it in Python."""
    with pytest.raises(BadInput, match="ROTATION_JOURNAL_PROJECT is not set"):
        site.deployment(ROTATION_JOURNAL_PROJECT="").bitwarden.journal_project()
