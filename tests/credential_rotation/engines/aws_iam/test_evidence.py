"""Who made a key, by CloudTrail: proof for, proof against, and no proof."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credential_rotation.errors import ApplyUnknown, TargetRefused, TargetUnknown
from credential_rotation.model import Intent, Key
from sandbox.aws import AwsStandIn, Fault
from scenes.aws_iam.user import IamScene, intent

pytest_plugins = ["sandbox.aws.fixtures"]

OURS = "c0ffee123456"


@pytest.fixture
def scene(aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch) -> IamScene:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    return IamScene(aws, itself=False)


def judged(scene: IamScene, attempt: str = OURS, *, asked: Intent | None = None) -> bool | None:
    """What the session says of the newest key."""
    with scene.rotator().lock(None, changing=scene.user) as session:
        newest: Key = session.keys()[-1]
        return session.is_ours(newest, asked or intent(attempt))


def minted(scene: IamScene) -> None:
    """A key whose secret is lost, as after a kill."""
    with scene.rotator().lock(None, changing=scene.user) as session:
        session.mint(intent(OURS))


def test_a_key_of_our_attempt_is_proved_ours(scene: IamScene) -> None:
    """The attempt's id stands in the user agent of the call that made it."""
    minted(scene)
    assert judged(scene) is True


def test_a_key_of_another_attempt_is_proved_not_ours(scene: IamScene) -> None:
    """Also where its id begins alike."""
    minted(scene)
    assert judged(scene, OURS[:-1]) is False
    assert judged(scene, "beef00beef00") is False


def test_a_key_that_a_person_made_is_proved_not_ours(scene: IamScene) -> None:
    """The trail names a browser."""
    scene.aws.create_key(scene.user)
    assert judged(scene) is False


def test_a_trail_that_is_late_is_no_evidence(scene: IamScene) -> None:
    """Minutes, at AWS; until then nobody knows."""
    minted(scene)
    scene.aws.trail_delay(600)
    assert judged(scene) is None
    scene.aws.trail_delay(0)
    assert judged(scene) is True


def test_without_the_permission_there_is_no_evidence(scene: IamScene) -> None:
    """It is not needed for rotating; a person is asked instead."""
    minted(scene)
    scene.may(without=["cloudtrail:LookupEvents"])
    assert judged(scene) is None


def test_a_call_that_failed_proves_nothing(scene: IamScene) -> None:
    """A CreateAccessKey of ours that AWS refused is in the trail too; the key is a person's all the same."""
    scene.aws.create_key(scene.user)
    with pytest.raises(TargetRefused, match="as many keys"):
        minted(scene)
    assert OURS in str(scene.aws.trail()[-1])
    assert judged(scene) is False


def test_a_lost_answer_is_proved_ours_afterwards(scene: IamScene) -> None:
    """The accident that the intent is for."""
    scene.aws.fault(Fault("drop_after", "iam:CreateAccessKey", times=1))
    with pytest.raises(ApplyUnknown):
        minted(scene)
    assert judged(scene) is True


def test_the_trail_is_asked_where_iam_writes_it(scene: IamScene) -> None:
    """IAM is global and keeps its events in us-east-1, whatever the entry's region is."""
    minted(scene)
    judged(scene)
    asked = {line.region for line in scene.aws.requests() if line.action == "cloudtrail:LookupEvents"}
    assert asked == {"us-east-1"}


def test_two_lookups_a_second_are_waited_for(scene: IamScene) -> None:
    """A throttled question is asked again, a little later."""
    minted(scene)
    scene.aws.throttle("cloudtrail:LookupEvents", times=2)
    assert judged(scene) is True


def test_a_trail_in_trouble_is_no_answer(scene: IamScene) -> None:
    """Nothing is concluded, and the key stays."""
    minted(scene)
    scene.aws.fault(Fault("answer", "cloudtrail:LookupEvents", status=500, code="InternalFailure"))
    with pytest.raises(TargetUnknown, match="LookupEvents"):
        judged(scene)
    assert len(scene.listed()) == 2


def test_a_key_older_than_the_trail_has_no_evidence(scene: IamScene) -> None:
    """Ninety days are kept: what happened before is not found any more."""
    minted(scene)
    old = scene.listed()[-1][0]
    scene.aws.trail_delay(timedelta(days=91).total_seconds())
    scene.aws.age_key(old, timedelta(days=90).total_seconds())
    assert judged(scene) is None
