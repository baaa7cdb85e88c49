"""How the rotator of IAM keys makes and ends a key, against AWS's stand-in."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

import pytest

from credential_rotation.engines.aws_iam import calls as aws_calls
from credential_rotation.engines.aws_iam.rotator import AwsIamRotator
from credential_rotation.errors import ApplyUnknown, BadInput, TargetRefused
from credential_rotation.model import Answer, Secret, Strategy, Target
from sandbox.aws import Fault
from scenes.aws_iam.user import IamScene, intent

pytest_plugins = ["sandbox.aws.fixtures"]


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
