"""What the rotator of IAM keys says of a key, and how it makes and ends one, against AWS's stand-in."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

import pytest

from credential_rotation.engines.aws_iam import calls as aws_calls
from credential_rotation.engines.aws_iam.rotator import AwsIamRotator
from credential_rotation.errors import ApplyUnknown, BadInput, TargetRefused, TargetUnknown
from credential_rotation.model import Answer, Probe, Secret, Strategy, Target
from credential_rotation.protocols import KeyRotator
from sandbox.aws import AwsStandIn, Fault
from scenes.aws_iam.user import IamScene, intent

pytest_plugins = ["sandbox.aws.fixtures"]


@pytest.fixture(params=["admin", "itself"])
def scene(aws: AwsStandIn, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> IamScene:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    made = IamScene(aws, itself=request.param == "itself")
    aws.clear_requests()
    return made


@pytest.fixture
def rotator(scene: IamScene) -> AwsIamRotator:
    made = scene.rotator()
    _: KeyRotator = made  # what the attempt is promised
    return made


# --- probing -------------------------------------------------------------------------------------------


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


# --- the life of a key ---------------------------------------------------------------------------------


def test_a_key_is_made_made_inactive_and_deleted(scene: IamScene, rotator: AwsIamRotator) -> None:
    """The whole life, in one session; the other key is never touched."""
    with rotator.lock(scene.first, changing=scene.user) as session:
        before = session.keys()
        made = session.mint(intent())
        assert [key.login for key in before] == [scene.first.login]
        assert rotator.probe(made).answer is Answer.WORKS
        listed = session.keys()
        assert [(key.login, key.is_active) for key in listed] == [
            (scene.first.login, True),
            (made.login, True),
        ]
        session.deactivate(made.login)
        session.deactivate(made.login)
        assert rotator.probe(made).answer is Answer.REFUSED
        session.remove(made.login)
        session.remove(made.login)
        session.deactivate(made.login)
    assert scene.listed() == [(scene.first.login, "Active")]
    assert (scene.gate.entered, scene.gate.is_in) == (1, False)
    assert made.password not in repr(made)


def test_last_use_is_told_for_people(scene: IamScene, rotator: AwsIamRotator) -> None:
    """When, by which service and where; `never` of one that nobody used."""
    scene.aws.create_key(scene.user)
    rotator.probe(scene.first)
    with rotator.lock(scene.first, changing=scene.user) as session:
        first, second = session.keys()
    assert " UTC by " in first.last_used
    assert second.last_used == "never"


def test_the_request_for_a_key_carries_the_attempt_and_is_sent_once(
    scene: IamScene, rotator: AwsIamRotator
) -> None:
    """What CloudTrail keeps of it is the proof that a key is ours."""
    with rotator.lock(scene.first, changing=scene.user) as session:
        session.mint(intent("abcdef012345"))
    [asked] = [line for line in scene.aws.requests() if line.action == "iam:CreateAccessKey"]
    assert "credential-rotation/abcdef012345" in asked.user_agent.split()


@pytest.mark.parametrize(
    ("fault", "made", "error"),
    [
        (Fault("drop_before", "iam:CreateAccessKey"), 1, ApplyUnknown),
        (Fault("drop_after", "iam:CreateAccessKey"), 2, ApplyUnknown),
        (Fault("answer", "iam:CreateAccessKey", status=500), 1, ApplyUnknown),
        (Fault("answer", "iam:CreateAccessKey", status=400, code="Throttling"), 1, TargetRefused),
        (Fault("answer", "iam:CreateAccessKey", status=403, code="AccessDenied"), 1, TargetRefused),
    ],
    ids=["cut before", "cut after", "500", "throttled", "denied"],
)
def test_a_lost_answer_to_create_is_unknown_and_never_asked_again(
    scene: IamScene, rotator: AwsIamRotator, fault: Fault, made: int, error: type[Exception]
) -> None:
    """One request, whatever comes of it: a second one would be a second key."""
    scene.aws.fault(fault)
    with pytest.raises(error), rotator.lock(scene.first, changing=scene.user) as session:
        session.mint(intent())
    assert scene.actions().count("iam:CreateAccessKey") == 1
    assert len(scene.listed()) == made


def test_a_silent_answer_to_create_is_unknown(
    scene: IamScene, rotator: AwsIamRotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline of one request ends the waiting, not the doubt."""
    monkeypatch.setattr(aws_calls, "READ_SECONDS", 1)
    scene.aws.fault(Fault("hang_after", "iam:CreateAccessKey"))
    with pytest.raises(ApplyUnknown), rotator.lock(scene.first, changing=scene.user) as session:
        session.mint(intent())
    assert len(scene.listed()) == 2


def test_a_third_key_is_refused_by_aws_and_said_so(scene: IamScene, rotator: AwsIamRotator) -> None:
    """Nothing was changed, and nothing is deleted to make room."""
    scene.aws.create_key(scene.user)
    before = scene.listed()
    with (
        pytest.raises(TargetRefused, match="as many keys as AWS allows") as refused,
        rotator.lock(scene.first, changing=scene.user) as session,
    ):
        session.mint(intent())
    assert "delete the one that nobody needs" in refused.value.next_step
    assert scene.listed() == before


def test_an_inactive_key_can_come_back(scene: IamScene, rotator: AwsIamRotator) -> None:
    """Which is what soak is for; a deleted one cannot, and that is said."""
    key_id, password = scene.aws.create_key(scene.user)
    second = Secret(scene.user, password, key_id)
    with rotator.lock(scene.first, changing=scene.user) as session:
        session.deactivate(key_id)
        session.activate(key_id)
        session.activate(key_id)
        assert rotator.probe(second).answer is Answer.WORKS
        with pytest.raises(TargetRefused, match="is active"):
            session.remove(key_id)
        session.deactivate(key_id)
        session.remove(key_id)
        with pytest.raises(TargetRefused, match="has no such key any more"):
            session.activate(key_id)


def test_an_active_key_is_never_deleted(scene: IamScene, rotator: AwsIamRotator) -> None:
    """Whoever made it active again needs it; the message names it."""
    second, _ = scene.aws.create_key(scene.user)
    with (
        pytest.raises(TargetRefused, match=second),
        rotator.lock(scene.first, changing=scene.user) as session,
    ):
        session.remove(second)
    assert len(scene.listed()) == 2


def test_nothing_is_sent_once_the_hold_has_run_out(scene: IamScene, rotator: AwsIamRotator) -> None:
    """A mutex stops nobody who does not ask: before each change it is asked."""
    second, _ = scene.aws.create_key(scene.user)
    with rotator.lock(scene.first, changing=scene.user) as session:
        scene.gate.runs_out = True
        before = len(scene.aws.requests())
        for change in (
            lambda: session.mint(intent()),
            lambda: session.deactivate(second),
            lambda: session.remove(second),
        ):
            with pytest.raises(TargetRefused, match="has run out"):
                change()
        assert len(scene.aws.requests()) == before


def test_a_new_keys_secret_is_never_logged(
    scene: IamScene, rotator: AwsIamRotator, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even by boto3 at level DEBUG, which logs the bodies of answers."""
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("botocore").setLevel(logging.DEBUG)
        with rotator.lock(scene.first, changing=scene.user) as session:
            made = session.mint(intent())
        logging.getLogger("botocore").setLevel(logging.NOTSET)
    assert "botocore" in caplog.text
    for secret in (made.password, scene.first.password, scene.admin.password):
        assert secret not in caplog.text


@pytest.mark.parametrize("scene", ["itself"], indirect=True)
def test_a_user_that_changes_itself_needs_a_key_that_works(scene: IamScene, rotator: AwsIamRotator) -> None:
    """None, a wrong secret, and what is no key are refused before the first change."""
    for login in (None, replace(scene.first, password="wrong"), Secret(scene.user, "x", "")):
        with pytest.raises((TargetRefused, BadInput)), rotator.lock(login, changing=scene.user):
            pytest.fail("locked")


@pytest.mark.parametrize("scene", ["itself"], indirect=True)
def test_no_key_ends_itself(scene: IamScene, rotator: AwsIamRotator) -> None:
    """Its last request would be refused halfway; the key that was just made ends it, or the next run."""
    with rotator.lock(scene.first, changing=scene.user) as session:
        for end in (session.deactivate, session.remove):
            with pytest.raises(TargetRefused, match="cannot end itself"):
                end(scene.first.login)
        assert scene.listed() == [(scene.first.login, "Active")]
        made = session.mint(intent())
        session.deactivate(scene.first.login)
        session.remove(scene.first.login)
    assert scene.listed() == [(made.login, "Active")]


# --- what the entry may say ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"strategy": Strategy.IN_PLACE},
        {"principals": ("a", "b")},
        {"target": Target("", {})},
        {"endpoints": (Target("", {}),)},
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    scene: IamScene,
    changed: Any,  # noqa: ANN401 - fields of a Credential
) -> None:
    """With the entry's file and line."""
    with pytest.raises(BadInput) as wrong:
        scene.rotator(**changed)
    assert "aws.yaml:2" in wrong.value.next_step
    assert scene.actions() == []


def test_another_user_is_never_changed(scene: IamScene, rotator: AwsIamRotator) -> None:
    """The lock is for the entry's own user."""
    with pytest.raises(BadInput), rotator.lock(scene.first, changing="somebody"):
        pytest.fail("locked")


def test_one_change_is_quick(scene: IamScene, rotator: AwsIamRotator) -> None:
    """Where nothing is late, waiting for a run of answers costs a second or two."""
    began = time.monotonic()
    rotator.wait_until_valid(scene.first)
    assert time.monotonic() - began < 5
