"""IAM keys by command: the real AWS driver, the real Bitwarden client, and a mutex of claims between runs."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from sandbox.aws import AwsStandIn, Fault
from sandbox.bitwarden.stand_in import StoredSecret
from scenes.aws_iam.user import IamScene
from scenes.site.deployment import Ran, Site

pytest_plugins = ["scenes.site.fixtures", "sandbox.aws.fixtures"]

ENTRIES = """\
credentials:
  - name: exports
    engine: aws_iam
    principal: {user}
    target: {{region: eu-central-1}}
    admin: iam-admin
    vault: {{key: exports/aws, project: {data}, format: aws-credentials}}
    policy: {{max_age: 90d, grace: 1d}}
    owner: data-platform
  - name: iam-admin
    engine: aws_iam
    principal: {admin}
    target: {{region: eu-central-1}}
    vault: {{key: rotation/iam-admin, project: {admins}, format: aws-credentials}}
    policy: manual
    owner: data-platform
"""


@dataclass
class Cloud:
    """A site whose entries are IAM users."""

    site: Site
    scene: IamScene

    def run(self, *arguments: str) -> Ran:
        return self.site.run(*arguments)

    def stored(self) -> tuple[str, str]:
        """What whoever reads CURRENT gets: id and secret."""
        found = json.loads(self.site.current("exports/aws").value)
        return found["aws_access_key_id"], found["aws_secret_access_key"]

    def living(self) -> list[StoredSecret]:
        """All that is not in the trash, where claims end."""
        return [one for one in self.site.secrets() if not one.deleted]

    def claims(self) -> list[str]:
        return [one.key for one in self.living() if one.key.startswith("claim/")]


@pytest.fixture
def cloud(site: Site, aws: AwsStandIn) -> Cloud:
    scene = IamScene(aws, itself=False)
    places = {"data": site.project("data"), "admins": site.project("admins")}
    site.write_entries(ENTRIES.format(user=scene.user, admin=scene.admin_user, **places))
    for secret, project, key in (
        (scene.first, "data", "exports/aws"),
        (scene.admin, "admins", "rotation/iam-admin"),
    ):
        value = {"aws_access_key_id": secret.login, "aws_secret_access_key": secret.password}
        site.bitwarden.put_secret(project=site.projects[project], key=key, value=json.dumps(value))
        site.further_secrets.append(secret.password)
    aws.clear_requests()
    site.environ["AWS_ENDPOINT_URL"] = aws.endpoint_url
    return Cloud(site, scene)


def test_a_key_is_rotated_by_command(cloud: Cloud) -> None:
    """A new key is stored and works; the old one lives on; no claim and no intent is left."""
    ran = cloud.run("rotate", "exports", "--json")
    assert (ran.code, ran.words) == (0, {"exports": "rotated"})
    key_id, password = cloud.stored()
    cloud.site.further_secrets.append(password)
    assert key_id != cloud.scene.first.login
    assert cloud.scene.aws.works(key_id, password)
    assert [status for _, status in cloud.scene.listed()] == ["Active", "Active"]
    assert cloud.claims() == []
    assert not any(name.endswith("/intent") for name in cloud.site.records("exports"))


def test_who_comes_second_is_busy(cloud: Cloud) -> None:
    """Exit 3, as what heals by itself; nothing is asked for at AWS."""
    site = cloud.site
    key = "claim/exports/0123456789ab"
    site.bitwarden.put_secret(project=site.projects["journal"], key=key, value="{}")
    ran = cloud.run("rotate", "exports", "--json")
    assert (ran.code, ran.words) == (3, {"exports": "busy"})
    assert cloud.claims() == [key]
    assert "iam:CreateAccessKey" not in cloud.scene.actions()


def test_check_names_the_permission_that_is_missing(cloud: Cloud) -> None:
    """Before the first rotation; nothing is changed by asking."""
    cloud.scene.may(without=["iam:UpdateAccessKey"])
    ran = cloud.run("check", "--json")
    assert ran.code == 1
    assert "iam:UpdateAccessKey" in ran.told("exports")
    assert cloud.scene.listed() == [(cloud.scene.first.login, "Active")]


def test_an_aws_that_is_in_trouble_changes_nothing(cloud: Cloud) -> None:
    """One clear message; vault and target as they were."""
    cloud.scene.aws.fault(Fault("answer", "*", status=503, code="ServiceUnavailable"))
    before = cloud.living()
    ran = cloud.run("rotate", "exports", "--json")
    assert ran.code != 0
    assert "ServiceUnavailable" in ran.told("exports")
    assert cloud.living() == before


def test_two_runs_at_once_make_one_key(cloud: Cloud) -> None:
    """Whoever comes second is busy, or finds the work done and waits for the grace to end."""
    with ThreadPoolExecutor() as pool:
        begun = [pool.submit(cloud.site.run_process, "rotate", "exports", "--json") for _ in range(2)]
        words = sorted(one.result().words["exports"] for one in begun)
    cloud.site.further_secrets.append(cloud.stored()[1])
    assert words in (["busy", "rotated"], ["rotated", "waiting"])
    assert cloud.scene.actions().count("iam:CreateAccessKey") == 1
    assert cloud.claims() == []
