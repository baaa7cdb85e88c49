"""C4: the permissions for a key's whole life are proved before the first key is made."""

from __future__ import annotations

import pytest

from credential_rotation.engines.aws_iam.rotator import AwsIamRotator
from credential_rotation.errors import TargetRefused
from credential_rotation.model import Answer
from sandbox.aws import AwsStandIn
from scenes.aws_iam.user import LIFE, IamScene, intent

pytest_plugins = ["sandbox.aws.fixtures"]

PROVED = [action for action in LIFE if action != "iam:CreateAccessKey"]


@pytest.fixture(params=["admin", "itself"])
def scene(aws: AwsStandIn, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> IamScene:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    return IamScene(aws, itself=request.param == "itself")


def rotate(scene: IamScene) -> None:
    """As far as a second key."""
    with scene.rotator().lock(scene.first, changing=scene.user) as session:
        session.mint(intent())


def test_c4_the_shipped_policy_is_enough(scene: IamScene) -> None:
    """And no more than it: the matrix below takes each of its actions away."""
    rotate(scene)
    assert len(scene.listed()) == 2


@pytest.mark.parametrize("missing", PROVED)
def test_c4_an_action_that_is_missing_stops_before_a_key_is_made(scene: IamScene, missing: str) -> None:
    """The message names the action, who lacks it, and the file with the whole policy."""
    scene.may(without=[missing])
    scene.aws.clear_requests()
    with pytest.raises(TargetRefused) as refused:
        rotate(scene)
    assert f"does not let {scene.asker} call {missing} on user {scene.user}" in refused.value.what
    assert missing in refused.value.next_step
    own = "self-rotating-user.json" if scene.itself else "admin.json"
    assert f"include/iam/{own}" in refused.value.next_step
    assert "iam:CreateAccessKey" not in scene.actions()
    assert scene.listed() == [(scene.first.login, "Active")]
    assert not scene.gate.is_in


def test_c4_without_create_itself_nothing_is_left_over(scene: IamScene) -> None:
    """It cannot be tried; it is the first change, so that its refusal costs nothing."""
    scene.may(without=["iam:CreateAccessKey"])
    with pytest.raises(TargetRefused, match="call iam:CreateAccessKey on user"):
        rotate(scene)
    assert scene.listed() == [(scene.first.login, "Active")]


def test_c4_check_proves_the_same_without_the_mutex(scene: IamScene) -> None:
    """Nothing is changed by it, and nobody is kept out."""
    rotator: AwsIamRotator = scene.rotator()
    rotator.check_privileges(scene.first)
    scene.may(without=["iam:DeleteAccessKey"])
    with pytest.raises(TargetRefused, match="iam:DeleteAccessKey"):
        rotator.check_privileges(scene.first)
    assert scene.gate.entered == 0
    assert scene.listed() == [(scene.first.login, "Active")]
    assert rotator.probe(scene.first).answer is Answer.WORKS


@pytest.mark.parametrize("scene", ["admin"], indirect=True)
def test_c4_a_user_without_keys_gets_its_first_one(scene: IamScene) -> None:
    """Last use of a key that does not exist may be refused to everybody: it is not asked."""
    scene.aws.delete_key(scene.user, scene.first.login)
    rotate(scene)
    assert len(scene.listed()) == 1


@pytest.mark.parametrize("scene", ["admin"], indirect=True)
def test_a_user_that_does_not_exist_is_said_so(scene: IamScene) -> None:
    """With the entry to mend."""
    everything = {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}
    scene.aws.put_user_policy(scene.admin_user, {"Version": "2012-10-17", "Statement": everything})
    rotator = scene.rotator(principals=(f"{scene.user}-ghost",))
    with pytest.raises(TargetRefused) as refused:
        rotator.check_privileges(None)
    assert "IAM has no user" in refused.value.what
    assert "aws.yaml:2" in refused.value.next_step


def test_other_users_keys_are_out_of_reach(scene: IamScene) -> None:
    """The shipped policies name one user and cover no other."""
    other = IamScene(scene.aws, itself=False)
    with pytest.raises(TargetRefused, match="iam:ListAccessKeys"):
        scene.rotator(principals=(other.user,)).check_privileges(scene.first)
