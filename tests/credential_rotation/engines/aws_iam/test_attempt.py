"""Whole attempts with real keys on AWS's stand-in and a vault in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

import pytest

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.turn import Parties
from credential_rotation.model import Answer, Policy, Secret
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from sandbox.aws import AwsStandIn, Fault
from scenes.aws_iam.user import IamScene
from simulators.scene import SimConsumers
from simulators.vault import SimVault
from simulators.world import World

pytest_plugins = ["sandbox.aws.fixtures"]

DAY = timedelta(days=1)
SETTLE = timedelta(minutes=15)


@dataclass
class Rotation:
    """A user's keys, a vault that holds the first one, and a clock that the test moves."""

    scene: IamScene
    policy: Policy = field(default_factory=lambda: Policy("p", max_age=90 * DAY, grace=7 * DAY, soak=DAY))

    def __post_init__(self) -> None:
        self.world = World(now=datetime.now(timezone.utc))
        self.vault = SimVault(self.world)
        self.vault.put_current(self.scene.first)
        self.patience = 30.0

    def run(self, *, begin: bool = True) -> Outcome:
        """One attempt, by a process of its own."""
        request = Request(at=self.world.now, by="someone", now=True) if begin else None
        rotator = self.scene.rotator(patience=self.patience, policy=self.policy)
        parties = Parties(self.vault, rotator, SimConsumers())
        return attempt(rotator.credential, parties, begin=request, clock=self.world.clock, settle=SETTLE)

    @property
    def current(self) -> Secret:
        assert self.vault.current is not None
        return self.vault.current.secret

    def later(self, span: timedelta) -> None:
        self.world.now += span


@pytest.fixture(params=["admin", "itself"])
def rotation(aws: AwsStandIn, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Rotation:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    return Rotation(IamScene(aws, itself=request.param == "itself"))


def test_c7_both_keys_live_through_grace_then_the_old_one_goes(rotation: Rotation) -> None:
    """Who read the old key before the rotation works on; the next rotation waits and says why."""
    scene, first = rotation.scene, rotation.scene.first
    assert rotation.run().outcome == "rotated"
    new = rotation.current
    assert new != first
    both = [(first.login, "Active"), (new.login, "Active")]
    rotation.later(6 * DAY)
    waits = rotation.run()
    assert (waits.outcome, scene.listed()) == ("waiting", both)
    assert "grace" in waits.reason
    rotation.later(DAY + SETTLE)
    rotation.run(begin=False)
    assert scene.listed() == [(first.login, "Inactive"), (new.login, "Active")]
    rotation.later(DAY / 2)
    assert rotation.run().outcome == "waiting"
    rotation.later(DAY)
    assert rotation.run(begin=False).outcome == "retired"
    assert scene.listed() == [(new.login, "Active")]
    assert rotation.current == new
    assert scene.actions().count("iam:CreateAccessKey") == 1


def test_c1_a_late_service_delays_and_loses_nothing(rotation: Rotation) -> None:
    """Where IAM stays late beyond the deadline the key is kept, and the next run goes on with that one."""
    scene = rotation.scene
    scene.aws.lag(new={"sts": 6.0, "iam": 6.0}, flapping=1.0)
    rotation.patience = 1.0
    late = rotation.run()
    assert late.outcome == "failed"
    assert (rotation.current, len(scene.listed())) == (scene.first, 2)
    rotation.patience = 30.0
    outcomes = []
    for _ in range(20):
        outcomes.append(rotation.run().outcome)
        if rotation.current != scene.first:
            break
    assert outcomes[-1] == "recovered"
    assert scene.rotator().probe(rotation.current).answer is Answer.WORKS
    assert scene.actions().count("iam:CreateAccessKey") == 1
    assert len(scene.listed()) == 2


def test_c1_without_grace_or_soak_the_old_key_is_gone_at_once(rotation: Rotation) -> None:
    """In one attempt, lag on: the new key ends the old one where the user changes itself."""
    scene = rotation.scene
    rotation.policy = replace(rotation.policy, grace=timedelta(0), soak=timedelta(0))
    scene.aws.lag(new={"iam": 3.0}, dead={"sts": 1.0}, flapping=1.0)
    assert rotation.run().outcome == "rotated"
    rotation.later(SETTLE)
    rotation.run(begin=False)
    assert scene.listed() == [(rotation.current.login, "Active")]
    assert rotation.current != scene.first


@pytest.mark.parametrize("kept", ["Active", "Inactive"])
def test_a_third_key_is_never_asked_for(rotation: Rotation, kept: str) -> None:
    """A second key that nobody recorded is named, with its last use; nothing is changed."""
    scene = rotation.scene
    stranger, _ = scene.aws.create_key(scene.user)
    scene.aws.update_key(scene.user, stranger, kept)
    before = scene.listed()
    refused = rotation.run()
    assert refused.outcome in ("failed", "refused")
    assert stranger in refused.reason
    assert "iam:CreateAccessKey" not in scene.actions()
    assert (scene.listed(), rotation.current) == (before, scene.first)


def test_a_key_whose_answer_was_lost_is_proved_ours_and_removed(rotation: Rotation) -> None:
    """Then the rotation begins again, with room for it."""
    scene = rotation.scene
    scene.aws.fault(Fault("drop_after", "iam:CreateAccessKey", times=1))
    assert rotation.run().outcome == "failed"
    assert len(scene.listed()) == 2
    rotation.later(SETTLE)
    rotation.run(begin=False)
    assert scene.listed() == [(scene.first.login, "Active")]
    rotation.later(SETTLE)
    assert rotation.run().outcome == "rotated"


def test_c4_a_missing_permission_leaves_target_and_vault_as_they_were(rotation: Rotation) -> None:
    """No second key, no intent, no record of a version that never was."""
    scene = rotation.scene
    scene.may(without=["iam:DeleteAccessKey"])
    refused = rotation.run()
    assert refused.outcome == "failed"
    assert "iam:DeleteAccessKey" in refused.reason
    assert scene.listed() == [(scene.first.login, "Active")]
    assert (rotation.vault.intents, rotation.vault.records) == ({}, {})
