"""Entries of engine aws_iam: what arrives, and what is told with file and line."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from credential_rotation.engines.aws_iam.rotator import AwsIamRotator
from credential_rotation.engines.registry import rotator_for
from credential_rotation.inventory.inventory import load_inventory
from credential_rotation.model import ConnectionAdmin, Strategy, Target
from sandbox.places import INCLUDE
from scenes.aws_iam.user import LIFE, Gate
from scenes.inventory.mistakes import entry, written

IAM = {
    "name": "name: exports",
    "engine": "engine: aws_iam",
    "principal": "principal: exports-uploader",
    "target": "target: {region: eu-central-1}",
    "vault": "vault: {key: exports, project: data, format: aws-credentials}",
}
OTHER = {**IAM, "name": "name: other", "vault": "vault: {key: o, project: data, format: json}"}


def load(tmp_path: Path, *entries: dict[str, str]) -> list[str]:
    """The problems of an inventory of these entries, from their line on."""
    text = "credentials:\n" + "".join(entry(**one) for one in entries)
    found = written(tmp_path / "include", text)
    return [problem.removeprefix("include/credentials/a.yaml:") for problem in found]


def test_the_shortest_entry_is_enough(tmp_path: Path) -> None:
    """The strategy is the engine's own; the rotator takes what the inventory gives."""
    owner = {"owner": "owner: x\n    admin: {airflow_connection: aws_iam_admin}"}
    assert load(tmp_path, {**IAM, **owner}) == []
    [credential] = load_inventory(tmp_path / "include").credentials
    assert (credential.engine, credential.strategy) == ("aws_iam", Strategy.OVERLAPPING)
    assert credential.target == Target("", {"region": "eu-central-1"})
    assert credential.admin == ConnectionAdmin("aws_iam_admin")
    assert credential.policy.soak == timedelta(days=1)
    rotator = rotator_for(credential, admin=None, mutex=Gate())
    assert isinstance(rotator, AwsIamRotator)
    assert rotator.user == "exports-uploader"


def test_account_and_further_regions_arrive(tmp_path: Path) -> None:
    """An endpoint inherits what the target says."""
    target = 'target: {region: eu-central-1, account: "123456789012"}\n    endpoints: [{region: us-west-2}]'
    assert load(tmp_path, {**IAM, "target": target}) == []
    [credential] = load_inventory(tmp_path / "include").credentials
    assert credential.endpoints == (Target("", {"account": "123456789012", "region": "us-west-2"}),)


@pytest.mark.parametrize("form", ["aws-credentials", "airflow-connection", "json"])
def test_every_form_with_a_user_name_will_do(tmp_path: Path, form: str) -> None:
    """Id and secret belong together."""
    assert load(tmp_path, {**IAM, "vault": f"vault: {{key: e, project: data, format: {form}}}"}) == []


WRONG = {
    "a strategy of another engine": (
        {"owner": "owner: x\n    strategy: in_place"},
        [
            (
                "9: exports: strategy 'in_place' is not in this version for this engine; "
                "this version has overlapping"
            )
        ],
    ),
    "a bare password": (
        {"vault": "vault: {key: e, project: data, format: password}"},
        [
            (
                "6: exports: unknown vault.format 'password'; "
                "this version has aws-credentials, airflow-connection, json"
            )
        ],
    ),
    "a host": (
        {"target": "target: {host: iam.amazonaws.com}"},
        [
            "5: exports: 'region' is missing in target",
            "5: exports: unknown key 'host' in target; known: account, region",
        ],
    ),
    "a zone for a region": (
        {"target": "target: {region: eu-central-1a}"},
        ["5: exports: target.region: a region's code, such as eu-central-1"],
    ),
    "an account without quotes": (
        {"target": "target: {region: eu-central-1, account: 123456789012}"},
        [
            (
                "5: exports: target.account is 123456789012, which YAML reads as a number; "
                'put it in quotes: "123456789012"'
            )
        ],
    ),
    "an ARN for a user": (
        {"principal": "principal: arn:aws:iam::123456789012:user/x"},
        ["4: exports: principal: one IAM user, by its name alone: no ARN, no path"],
    ),
    "two users": (
        {"principal": "principal: [a, b]"},
        ["4: exports: principal must be a text"],
    ),
    "options of databases": (
        {
            "owner": "owner: x\n    password_hashing: scram\n    stamp: none\n    valid_until: keep\n"
            "    password_symbols: '%'"
        },
        [
            "9: exports: password_hashing: is for databases; leave it out",
            "10: exports: stamp: is for databases; leave it out",
            "11: exports: valid_until: is for databases; leave it out",
            "12: exports: password_symbols: is for databases; leave it out",
        ],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_told_in_words(tmp_path: Path, case: str) -> None:
    """With the key, its line, and what to write instead."""
    changed, expected = WRONG[case]
    assert load(tmp_path, {**IAM, **changed}) == expected


C8 = {
    "grace longer than max_age": (
        "{max_age: 1d, grace: 3d}",
        "grace 3d + soak 1d is not shorter than max_age 1d",
    ),
    "soak longer than max_age": (
        "{max_age: 7d, grace: 1h, soak: 8d}",
        "grace 1h + soak 8d is not shorter than max_age 1w",
    ),
    "both together": (
        "{max_age: 2d, grace: 1d, soak: 1d}",
        "grace 1d + soak 1d is not shorter than max_age 2d",
    ),
    "a window rarer than max_age": (
        '{max_age: 3d, grace: 1h, window: {from: "01:00", to: "05:00", days: [sun]}}',
        "windows open 1w apart, and max_age 3d is shorter",
    ),
}


@pytest.mark.parametrize("case", C8)
def test_c8_a_policy_that_can_never_hold_is_refused_with_its_inequality(tmp_path: Path, case: str) -> None:
    """The old key has to be gone before the next one begins, or it would be deleted instead of rotated."""
    policy, inequality = C8[case]
    [problem] = load(tmp_path, {**IAM, "policy": f"policy: {policy}"})
    assert problem.startswith(f"7: exports: {inequality}")


def test_one_user_has_one_entry_whatever_the_region(tmp_path: Path) -> None:
    """IAM is global; accounts tell users of one name apart, where the entries say them."""
    problems = load(tmp_path, IAM, {**OTHER, "target": "target: {region: us-west-2}"})
    assert [problem.split(" belongs")[0] for problem in problems] == [
        "4: exports: principal 'exports-uploader' on AWS (no target.account)",
        "11: other: principal 'exports-uploader' on AWS (no target.account)",
    ]


def test_users_of_one_name_in_two_accounts_are_two(tmp_path: Path) -> None:
    """And in one account they are one."""
    one, two = (f'target: {{region: eu-central-1, account: "{digit * 12}"}}' for digit in "12")
    assert load(tmp_path / "two", {**IAM, "target": one}, {**OTHER, "target": two}) == []
    assert len(load(tmp_path / "one", {**IAM, "target": one}, {**OTHER, "target": one})) == 2


def test_an_entry_without_account_may_mean_any(tmp_path: Path) -> None:
    """Whether they are one user cannot be told, so that neither is rotated by guess."""
    known = {**OTHER, "target": 'target: {region: eu-central-1, account: "123456789012"}'}
    assert len(load(tmp_path, IAM, known)) == 2


def test_an_admin_is_of_the_same_engine(tmp_path: Path) -> None:
    """A database role cannot make keys."""
    [problem] = load(tmp_path, {**IAM, "owner": "owner: x\n    admin: etl"}, {})
    assert "admin 'etl' has engine postgres, and this entry has aws_iam" in problem


@pytest.mark.parametrize("file", ["admin.json", "self-rotating-user.json"])
def test_the_shipped_policies_grant_a_keys_life_and_nothing_else(file: str) -> None:
    """On one user; of the rest of the account they may read the trail."""
    statements = json.loads((INCLUDE / "iam" / file).read_text(encoding="utf-8"))["Statement"]
    life, trail = statements
    assert sorted(life["Action"]) == sorted(LIFE)
    assert "*" not in str(life["Action"])
    assert str(life["Resource"]).count("arn:aws:iam::") == 1
    assert (trail["Action"], trail["Resource"]) == ("cloudtrail:LookupEvents", "*")


def test_the_shipped_example_works_once_it_is_copied(tmp_path: Path) -> None:
    """Copying it as its first lines say gives two credentials and no problem."""
    include = tmp_path / "include"
    shutil.copytree(INCLUDE, include)
    shutil.copy(include / "credentials/aws.yaml.example", include / "credentials/aws.yaml")
    inventory = load_inventory(include)
    assert inventory.problems == ()
    assert [one.name for one in inventory.credentials] == ["exports-uploader", "reports-reader"]
