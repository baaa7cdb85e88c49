"""C1: services learn of a key at different times, and none of that is ever taken for a no."""

from __future__ import annotations

import time

import pytest

from credential_rotation.engines.aws_iam import youth as aws_iam_youth
from credential_rotation.engines.aws_iam.propagation import RUN
from credential_rotation.errors import TargetRefused, TargetUnknown
from credential_rotation.model import Answer, Consumer, Secret, Target
from sandbox.aws import AwsStandIn
from scenes.aws_iam.user import IamScene, intent

pytest_plugins = ["sandbox.aws.fixtures"]


@pytest.fixture(params=["admin", "itself"])
def scene(aws: AwsStandIn, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> IamScene:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    return IamScene(aws, itself=request.param == "itself")


def minted(scene: IamScene) -> Secret:
    """A new key, made by another process than the one that asks afterwards."""
    with scene.rotator().lock(scene.first, changing=scene.user) as session:
        return session.mint(intent())


@pytest.mark.parametrize("scene", ["itself"], indirect=True)
def test_c1_the_new_key_ends_the_old_one_though_iam_is_late_and_flaps(scene: IamScene) -> None:
    """STS at once, IAM after 8 s, alternating for 5 s: the next IAM call with the new key goes through."""
    scene.aws.lag(new={"iam": 8.0}, flapping=5.0)
    rotator = scene.rotator(patience=60)
    began = time.monotonic()
    with rotator.lock(scene.first, changing=scene.user) as session:
        new = session.mint(intent())
        assert rotator.probe(new).answer is Answer.WORKS
        rotator.wait_until_valid(new)
        assert time.monotonic() - began >= 12
        scene.aws.clear_requests()
        session.deactivate(scene.first.login)
        session.remove(scene.first.login)
    assert [line.error for line in scene.aws.requests()] == [None, None]
    assert scene.listed() == [(new.login, "Active")]


def test_c1_every_service_that_is_used_is_waited_for(scene: IamScene) -> None:
    """S3 counts where a consumer is a bucket, and only there."""
    scene.aws.lag(new={"s3": 2.0})
    rotator = scene.rotator(consumers=(Consumer("s3_bucket", "exports"),))
    new = minted(scene)
    rotator.wait_until_valid(new)
    assert scene.aws.works(new.login, new.password, "s3")
    scene.aws.clear_requests()
    scene.rotator().wait_until_valid(new)
    assert not any(action.startswith("s3:") for action in scene.actions())


def test_waiting_ends_at_its_deadline(scene: IamScene) -> None:
    """Whatever the answers are; what they mean is the probe's to say, and it is no no."""
    scene.aws.lag(new={"sts": 60.0, "iam": 60.0})
    rotator, new = scene.rotator(patience=1.5), minted(scene)
    began = time.monotonic()
    rotator.wait_until_valid(new)
    assert 0.5 < time.monotonic() - began < 4
    assert rotator.probe(new).answer is Answer.UNKNOWN


def test_a_key_that_was_made_here_a_moment_ago_is_too_young_for_a_no(
    scene: IamScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else needs to be asked about it, for some minutes."""
    scene.aws.lag(new={"sts": 60.0})
    rotator = scene.rotator()
    with rotator.lock(scene.first, changing=scene.user) as session:
        new = session.mint(intent())
    scene.aws.clear_requests()
    probe = rotator.probe(new)
    assert (probe.answer, scene.actions()) == (Answer.UNKNOWN, ["sts:GetCallerIdentity"])
    assert "a moment ago" in probe.why
    monkeypatch.setattr(aws_iam_youth, "TOO_YOUNG", 0.0)
    assert "a moment ago" not in rotator.probe(new).why


def test_what_iam_lists_as_active_is_not_refused_either(scene: IamScene) -> None:
    """A process that did not make the key asks IAM: with the admin's key, or the one that worked last."""
    scene.aws.lag(new={"sts": 60.0})
    new = minted(scene)
    other = scene.rotator()
    assert other.probe(scene.first).answer is Answer.WORKS
    probe = other.probe(new)
    assert probe.answer is Answer.UNKNOWN
    assert "IAM lists it as active" in probe.why


def test_the_old_key_is_waited_for_until_it_is_dead(scene: IamScene) -> None:
    """A service that is late still takes it; then all refuse, and keep refusing."""
    rotator, new = scene.rotator(), minted(scene)
    login = new if scene.itself else None
    scene.aws.lag(dead={"sts": 2.0, "iam": 1.0}, flapping=1.0)
    with rotator.lock(login, changing=scene.user) as session:
        session.deactivate(scene.first.login)
        session.remove(scene.first.login)
    assert rotator.probe(scene.first).answer is Answer.WORKS
    rotator.wait_until_dead(scene.first)
    assert rotator.probe(scene.first).answer is Answer.REFUSED


@pytest.mark.parametrize("scene", ["itself"], indirect=True)
def test_c1_a_new_key_that_iam_does_not_know_yet_gets_no_lock_and_no_blame(scene: IamScene) -> None:
    """The next run tries again; it is not said that the stored key is wrong, because it is not."""
    scene.aws.lag(new={"iam": 60.0})
    new = minted(scene)
    with pytest.raises(TargetUnknown, match="does not know the key"):
        scene.rotator().check_privileges(new)


@pytest.mark.parametrize("scene", ["itself"], indirect=True)
def test_c1_a_refusal_at_the_end_leaves_both_keys_as_they_are(scene: IamScene) -> None:
    """The old key lives on until a later run ends it; a third one is not asked for."""
    rotator = scene.rotator(patience=0.3)
    with rotator.lock(scene.first, changing=scene.user) as session:
        scene.aws.lag(new={"iam": 60.0})
        new = session.mint(intent())
        with pytest.raises(TargetRefused, match="does not know the new key") as pending:
            session.deactivate(scene.first.login)
    assert "Both keys live on" in pending.value.next_step
    assert scene.listed() == [(scene.first.login, "Active"), (new.login, "Active")]
    assert rotator.probe(new).answer is Answer.WORKS


def test_every_region_of_the_entry_is_waited_for(scene: IamScene) -> None:
    """Each service in each region gives its answers in a row; then the old key is refused there too."""
    rotator, new = scene.rotator(endpoints=(Target("", {"region": "us-west-2"}),)), minted(scene)
    with rotator.lock(new if scene.itself else None, changing=scene.user) as session:
        session.deactivate(scene.first.login)
        session.remove(scene.first.login)
    scene.aws.clear_requests()
    rotator.wait_until_dead(scene.first)
    assert scene.actions().count("sts:GetCallerIdentity") >= 2 * RUN
    [there] = rotator.ended_at_endpoints(scene.first, current=new)
    assert (there.answer, there.where) == (Answer.REFUSED, "AWS STS in us-west-2")
