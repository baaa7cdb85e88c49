"""`discover` on a real PostgreSQL and a strict stand-in for AWS: what no entry manages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from psycopg import sql

from credential_rotation.engines.aws_iam.discovery import POLICY, logins
from credential_rotation.engines.postgres.discovery import logins as roles
from credential_rotation.errors import TargetRefused
from credential_rotation.model import Answer
from sandbox.aws import AwsStandIn
from sandbox.places import INCLUDE
from scenes.aws_iam.user import IamScene
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures", "sandbox.aws.fixtures"]


def test_h6_a_role_without_an_entry_is_listed_until_it_is_let_be_and_again_afterwards(site: Site) -> None:
    """With what is open now; the entries' own roles are not in it."""
    forgotten = f"forgotten_{site.number}"
    site.postgres.create_role(forgotten, "x" * 20)
    held = site.postgres.connect(forgotten, "x" * 20)
    ran = site.run("discover", "--json")
    assert ran.code == 1
    rows = {one["principal"]: one for one in ran.json["unmanaged"]}
    assert rows[forgotten]["connections"] == 1
    assert rows[forgotten]["has_password"] is None
    assert "last use not known" in rows[forgotten]["use"]
    assert not {site.role("etl"), site.role("reporting"), site.role("admin")} & rows.keys()
    held.close()

    fields = f"engine: postgres, principal: {forgotten}, reason: old tool, owner: bi"
    let_be = f"exceptions:\n  - {{{fields}, until: %s}}\n"
    (site.folder / "exceptions.yaml").write_text(let_be % "2999-01-01")
    ran = site.run("discover", "--json")
    assert forgotten not in {one["principal"] for one in ran.json["unmanaged"]}
    [listed] = ran.json["let_be"]
    assert (listed["principal"], listed["owner"], listed["until"]) == (forgotten, "bi", "2999-01-01")

    (site.folder / "exceptions.yaml").write_text(let_be % "2020-01-01")
    said = site.run("discover").flat
    assert f"postgres {forgotten} at" in said
    assert "let be until 2020-01-01 (old tool; bi); that is over" in said


def test_with_the_right_to_see_it_only_roles_with_passwords_are_listed(site: Site) -> None:
    """A role that logs in by certificate alone is none."""
    for name in ("with", "without"):
        site.postgres.create_role(f"{name}_{site.number}", "x" * 20)
    without = sql.Identifier(f"without_{site.number}")
    site.postgres.execute(sql.SQL("ALTER ROLE {} PASSWORD NULL").format(without))
    site.postgres.execute(
        sql.SQL("GRANT SELECT ON pg_catalog.pg_authid TO {}").format(sql.Identifier(site.role("admin")))
    )
    deployment = site.deployment()
    etl = deployment.entry("etl")
    assert etl.admin is not None
    found = {one.principal: one for one in roles(etl, deployment.admins_secret(etl.admin))}
    assert found[f"with_{site.number}"].has_password is True
    assert f"without_{site.number}" not in found


def test_a_target_that_cannot_be_asked_is_told(site: Site) -> None:
    site.change_entries(f"port: {site.postgres.port}", "port: 1")
    ran = site.run("discover", "--json")
    assert ran.code == 1
    [unasked] = ran.json["not_asked"]
    assert unasked["where"] == "postgres localhost:1"
    assert "could not be listed" in unasked["why"]
    assert ran.err.splitlines()[-1] == "0 unmanaged, 0 let be, 1 target that could not be asked"


def test_without_an_admin_nobody_can_be_asked(site: Site) -> None:
    site.change_entries("    admin: admin\n", "")
    [unasked] = site.run("discover", "--json").json["not_asked"]
    assert "has an admin" in unasked["why"]


def test_an_exception_with_a_mistake_stops_before_anything_is_asked(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("exceptions:\n  - {engine: postgres, principal: x, owner: bi, until: 2999-01-01}\n")
    ran = site.run("discover", "--ignore", str(file))
    assert (ran.code, "'reason' is missing" in ran.flat) == (2, True)


@pytest.fixture
def scene(aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch) -> IamScene:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    return IamScene(aws, itself=False)


def test_iam_keys_are_listed_with_their_last_use(scene: IamScene) -> None:
    """With the shipped policy, for every user of the account."""
    scene.aws.put_user_policy(
        scene.admin_user, json.loads((INCLUDE / POLICY.removeprefix("include/")).read_text())
    )
    assert scene.rotator().probe(scene.first).answer is Answer.WORKS
    found = {one.login: one for one in logins(scene.credential, scene.admin)}
    used, unused = found[scene.first.login], scene.aws.create_key(scene.user)[0]
    assert (used.principal, used.is_active, used.knows_use) == (scene.user, True, True)
    assert used.last_used is not None
    assert used.where == scene.aws.account_id
    again = {one.login: one for one in logins(scene.credential, scene.admin)}
    assert again[unused].last_used is None


def test_an_admin_without_the_right_is_told_which_file_has_it(scene: IamScene) -> None:
    """The policy for rotating alone does not list users."""
    with pytest.raises(TargetRefused) as refused:
        logins(scene.credential, scene.admin)
    assert "include/iam/discover.json" in refused.value.next_step
    assert "iam:ListUsers" in refused.value.next_step
