"""What the rotator of IAM keys says of a key, against AWS's stand-in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from credential_rotation.engines.aws_iam import calls as aws_calls
from credential_rotation.engines.aws_iam.rotator import AwsIamRotator
from credential_rotation.errors import TargetUnknown
from credential_rotation.model import Answer, Probe, Secret, Target
from sandbox.aws import Fault
from scenes.aws_iam.user import IamScene

pytest_plugins = ["sandbox.aws.fixtures"]


def test_a_key_of_the_user_works(scene: IamScene, rotator: AwsIamRotator) -> None:
    """STS names the user; the answer says where it was asked."""
    assert rotator.probe(scene.first) == Probe(Answer.WORKS, "AWS STS in eu-central-1")
    assert rotator.changes_itself is scene.itself


def test_another_secret_is_refused(scene: IamScene, rotator: AwsIamRotator) -> None:
    """For certain, with the reason, and without the value."""
    probe = rotator.probe(replace(scene.first, password="a-wrong-value"))
    assert probe.answer is Answer.REFUSED
    assert "SignatureDoesNotMatch" in probe.why
    assert "a-wrong-value" not in probe.why


@pytest.mark.parametrize("end", ["inactive", "deleted"])
def test_a_key_that_was_ended_is_refused(scene: IamScene, rotator: AwsIamRotator, end: str) -> None:
    """Inactive and deleted keys fail alike, whoever may list them."""
    second = scene.aws.create_key(scene.user)
    assert rotator.probe(scene.first).answer is Answer.WORKS
    old = Secret(scene.user, second[1], second[0])
    if end == "inactive":
        scene.aws.update_key(scene.user, old.login, "Inactive")
    else:
        scene.aws.delete_key(scene.user, old.login)
    assert rotator.probe(old).answer is Answer.REFUSED


@pytest.mark.parametrize(("login", "password"), [("", "x"), ("short", "x"), ("AKIA\n" + "A" * 16, "x")])
def test_what_is_no_key_is_refused_without_asking(
    scene: IamScene, rotator: AwsIamRotator, login: str, password: str
) -> None:
    """An id that AWS never gave out is sent nowhere."""
    assert rotator.probe(Secret(scene.user, password, login)).answer is Answer.REFUSED
    assert scene.actions() == []


def test_a_key_of_another_user_proves_nothing(scene: IamScene, rotator: AwsIamRotator) -> None:
    """It logs in, as somebody else: neither yes nor no."""
    probe = rotator.probe(replace(scene.admin, principal=scene.user))
    assert probe.answer is Answer.UNKNOWN
    assert f"of user {scene.admin_user}" in probe.why
    assert rotator.probe(scene.admin).answer is Answer.UNKNOWN


def test_a_key_of_another_account_proves_nothing(scene: IamScene) -> None:
    """The entry may say the account, and then it counts."""
    for account, answer in ((scene.aws.account_id, Answer.WORKS), ("999999999999", Answer.UNKNOWN)):
        target = Target("", {"region": scene.aws.region, "account": account})
        assert scene.rotator(target=target).probe(scene.first).answer is answer


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop_before", "sts:*"),
        Fault("answer", "sts:*", status=500),
        Fault("answer", "sts:*", status=400, code="Throttling"),
        Fault("answer", "sts:*", status=400, code="RequestExpired"),
        Fault("answer", "sts:*", status=403, code="AccessDenied"),
    ],
    ids=lambda fault: f"{fault.does} {fault.code}",
)
def test_trouble_is_never_a_no(scene: IamScene, rotator: AwsIamRotator, fault: Fault) -> None:
    """Network, throttling, AWS's own trouble and a wrong clock say nothing about the key."""
    scene.aws.fault(fault)
    probe = rotator.probe(scene.first)
    assert probe.answer is Answer.UNKNOWN
    assert probe.why
    assert len(scene.actions()) == 1


def test_a_clock_that_is_wrong_is_not_a_wrong_secret(
    scene: IamScene, rotator: AwsIamRotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS says SignatureDoesNotMatch of both; the date of its answer tells them apart."""
    real = aws_calls.now()
    monkeypatch.setattr(aws_calls, "now", lambda: real.replace(year=real.year - 1))
    probe = rotator.probe(replace(scene.first, password="another"))
    assert probe.answer is Answer.UNKNOWN
    assert "clock" in probe.why


def test_nothing_listening_is_not_a_no(
    scene: IamScene, rotator: AwsIamRotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no lock is given."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert rotator.probe(scene.first).answer is Answer.UNKNOWN
    with pytest.raises(TargetUnknown), rotator.lock(scene.first, changing=scene.user):
        pytest.fail("locked")
    assert not scene.gate.is_in


def test_this_machines_own_keys_and_files_are_never_used(
    scene: IamScene, rotator: AwsIamRotator, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """Neither a profile nor a config file that leads elsewhere nor keys of the environment count."""
    config = f"{tmp_path}/config"
    with open(config, "w", encoding="utf-8") as file:  # noqa: PTH123 - a text, as the variable wants it
        file.write("[profile x]\nendpoint_url = http://127.0.0.1:9\nregion = us-west-2\n")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", scene.aws.endpoint_url + "/")
    for name, text in {
        "AWS_CONFIG_FILE": config,
        "AWS_PROFILE": "x",
        "AWS_ACCESS_KEY_ID": scene.admin.login,
        "AWS_SECRET_ACCESS_KEY": scene.admin.password,
        "AWS_MAX_ATTEMPTS": "7",
    }.items():
        monkeypatch.setenv(name, text)
    assert rotator.probe(scene.first).answer is Answer.WORKS
    wrong = rotator.probe(Secret(scene.user, "x", "AKIAABCDEFGHIJKLMNOP"))
    assert wrong.answer is not Answer.WORKS
    assert [line.region for line in scene.aws.requests() if line.action.startswith("sts")] == [
        "eu-central-1",
        "eu-central-1",
    ]


def test_further_regions_are_asked_each(scene: IamScene, rotator: AwsIamRotator) -> None:
    """None in, none out; a region that the entry names is an endpoint."""
    assert rotator.endpoints(scene.first) == ()
    there = scene.rotator(endpoints=(Target("", {"region": "us-west-2"}),))
    assert there.endpoints(scene.first) == (Probe(Answer.WORKS, "AWS STS in us-west-2"),)
    assert scene.aws.requests()[-1].region == "us-west-2"
