"""What goes wrong outside: one message that names entry and remedy, exit 1, vault and target as they were."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sandbox.bitwarden.faults import Fault
from sandbox.bitwarden.stand_in import BitwardenStandIn
from sandbox.ports import free_ports
from scenes.site.deployment import Site
from scenes.site.ground import own_agent

pytest_plugins = ["scenes.site.fixtures"]


@pytest.fixture
def rotated(site: Site) -> Site:
    """Credentials that were rotated before."""
    assert site.run("rotate", "etl", "reporting").code == 0
    return site


def trouble(site: Site, *arguments: str, **environ: str | None) -> str:
    """What one credential's outcome tells; it needs a person, and nothing was moved."""
    before = site.everything()
    ran = site.run(*arguments, "--json", **environ)
    assert site.everything() == before
    assert ran.code == 1
    [outcome] = ran.json["credentials"]
    assert outcome["outcome"] in ("failed", "refused")
    assert outcome["next_step"]
    return f"{outcome['reason']}. {outcome['next_step']}"


@pytest.mark.parametrize("command", ["rotate", "verify"])
def test_a_target_that_cannot_be_reached(rotated: Site, command: str) -> None:
    """A closed port: host and port are named, and that nothing was changed."""
    [closed] = free_ports(1)
    rotated.change_entries(f"port: {rotated.postgres.port}", f"port: {closed}")
    said = trouble(rotated, command, "etl")
    assert f"localhost:{closed}" in said
    assert "Nothing was changed" in said


def test_a_privilege_that_the_admin_lacks(rotated: Site) -> None:
    """The GRANT to run is spelled out, before anything was written anywhere."""
    etl, admin = rotated.role("etl"), rotated.role("admin")
    rotated.postgres.execute(f"REVOKE {etl} FROM {admin}")
    said = trouble(rotated, "rotate", "etl")
    assert f'GRANT "{etl}" TO "{admin}" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE' in said


def test_a_stored_password_of_the_admin_that_is_wrong(rotated: Site) -> None:
    """The admin is named, and that its stored password is to be looked at."""
    current = rotated.current("rotation/admin")
    wrong = {"username": rotated.role("admin"), "password": "not-the-password"}
    rotated.further_secrets.append("not-the-password")
    rotated.bitwarden.edit_secret(current.id, value=json.dumps(wrong))
    said = trouble(rotated, "rotate", "etl")
    assert f"refuses admin {rotated.role('admin')}" in said
    assert "stored password" in said


def test_an_admin_that_nobody_stored(rotated: Site) -> None:
    """The place in Bitwarden where its password belongs is named."""
    rotated.bitwarden.trash(rotated.current("rotation/admin").id)
    said = trouble(rotated, "rotate", "etl")
    assert "rotation/admin" in said
    assert rotated.project("admins") in said


def test_an_admin_that_has_no_entry(rotated: Site) -> None:
    """Told with file and line, before anything is asked."""
    rotated.change_entries("admin: admin", "admin: admn")
    ran = rotated.run("rotate", "etl", "--json")
    assert ran.code == 2
    assert "include/credentials/all.yaml:6: etl:" in ran.json["error"]["what"]


def test_d1_a_token_that_was_revoked(rotated: Site) -> None:
    """The three causes of a refused token are named in the order to check, with the addresses in use."""
    token = rotated.bitwarden.create_token("rotation")
    rotated.further_secrets.append(token)
    rotated.bitwarden.revoke_token(token)
    with own_agent(rotated.ground, token) as environ:
        said = trouble(rotated, "rotate", "etl", **environ)
        checked = rotated.run("check", "--json", **environ)
    assert causes(said) == rotated.bitwarden.identity_url
    assert (checked.code, len(checked.json["deployment"])) == (1, 1)
    assert "it has expired or was revoked" in checked.json["deployment"][0]


def causes(said: str) -> str:
    """The address that the message shows; all three causes stand there, in the order to check."""
    found = re.search(
        r"Check in this order: 1\. it has expired or was revoked .*; 2\. wrong region or server: in use are "
        r"(\S+) and \S+; 3\. its secret part is wrong",
        said,
    )
    assert found is not None, said
    return found[1]


def test_d1_a_token_of_another_region(rotated: Site, tmp_path: Path) -> None:
    """The address that is in use is shown, and no other one is ever tried."""
    with BitwardenStandIn(tmp_path / "other") as other:
        theirs = {
            "BWS_API_URL": other.api_url,
            "BWS_IDENTITY_URL": other.identity_url,
            "SSL_CERT_FILE": str(other.ca_file),
        }
        asked_here = len(rotated.bitwarden.requests())
        with own_agent(rotated.ground, rotated.ground.token, **theirs) as environ:
            said = trouble(rotated, "rotate", "etl", **environ)
        assert causes(said) == other.identity_url
        assert len(rotated.bitwarden.requests()) == asked_here


def test_d1_a_token_whose_secret_part_is_wrong(rotated: Site) -> None:
    """A letter that was lost in copying looks like a revoked token to Bitwarden."""
    version, account, rest = rotated.ground.token.split(".")
    secret, key = rest.split(":")
    token = f"{version}.{account}.{secret[:-1]}{'x' if secret[-1] != 'x' else 'y'}:{key}"
    rotated.further_secrets.append(token)
    with own_agent(rotated.ground, token) as environ:
        assert causes(trouble(rotated, "rotate", "etl", **environ)) == rotated.bitwarden.identity_url


def test_a_project_that_the_account_cannot_see(rotated: Site) -> None:
    """Project and permission are named, and what the account does see."""
    rotated.bitwarden.grant("rotation", rotated.project("data"), None)
    said = trouble(rotated, "rotate", "etl")
    assert f"sees no Bitwarden project '{rotated.project('data')}'" in said
    assert "Can read, write" in said


def test_a_journal_that_the_account_cannot_see(rotated: Site) -> None:
    """The variable and the missing project are named."""
    said = trouble(rotated, "rotate", "etl", ROTATION_JOURNAL_PROJECT="journal-of-another-team")
    assert "ROTATION_JOURNAL_PROJECT: this machine account sees no Bitwarden project" in said


def test_a_journal_that_the_account_may_only_read(rotated: Site) -> None:
    """Nothing is applied where it could not be written down first."""
    rotated.bitwarden.grant("rotation", rotated.project("journal"), "read")
    said = trouble(rotated, "rotate", "etl")
    assert "Can read, write" in said


def test_a_project_that_is_the_journal_itself(rotated: Site) -> None:
    """Records lie where consumers cannot read."""
    said = trouble(rotated, "rotate", "etl", ROTATION_JOURNAL_PROJECT=rotated.project("data"))
    assert "is the journal itself" in said


def test_a_certificate_of_bitwardens_that_nobody_vouches_for(rotated: Site) -> None:
    """The address and SSL_CERT_FILE are named; TLS is never switched off."""
    strange = {"SSL_CERT_FILE": str(rotated.postgres.ca_file), "BITWARDEN_PATIENCE": "1s"}
    with own_agent(rotated.ground, rotated.ground.token, **strange) as environ:
        said = trouble(rotated, "rotate", "etl", **environ)
    assert rotated.bitwarden.identity_url in said
    assert "SSL_CERT_FILE" in said


def test_a_certificate_of_the_targets_that_nobody_vouches_for(rotated: Site) -> None:
    """It is not asked with a password, and the message is about the certificate."""
    rotated.change_entries(str(rotated.postgres.ca_file), str(rotated.bitwarden.ca_file))
    assert "certificate" in trouble(rotated, "rotate", "etl")


def test_a_current_in_another_form(rotated: Site) -> None:
    """The place and the format are named, the value is not."""
    current = rotated.current("reporting/db")
    rotated.further_secrets.append("Bare-Password-0815")
    rotated.bitwarden.edit_secret(current.id, value="Bare-Password-0815")
    said = trouble(rotated, "rotate", "reporting")
    assert "`reporting/db`" in said
    assert "json" in said


def test_an_outage_of_bitwarden(rotated: Site) -> None:
    """503 while looking: nothing was touched, and it is said that the next run tries again."""
    rotated.bitwarden.fault(Fault("answer", verb="GET", status=503))
    try:
        said = trouble(rotated, "rotate", "etl", BITWARDEN_PATIENCE="1s")
    finally:
        rotated.bitwarden.clear_faults()
    assert "The next run tries again" in said


def test_a_message_that_shows_a_value_would_be_noticed(site: Site) -> None:
    """The check that every test of the command line ends with sees values in JSON, tokens and verifiers."""
    site.run("rotate", "etl")
    secret_texts = [site.password(), site.first["admin"], site.ground.token, site.roles()[0][1]]
    for text in secret_texts:
        site.said.append(f"FATAL: {text}!")
        assert site.leaked() == {text}
        site.said.pop()
