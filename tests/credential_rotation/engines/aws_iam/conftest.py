"""An IAM user with one key, changed by an admin and by itself, and its rotator."""

from __future__ import annotations

import pytest

from credential_rotation.engines.aws_iam.rotator import AwsIamRotator
from credential_rotation.protocols import KeyRotator
from sandbox.aws import AwsStandIn
from scenes.aws_iam.user import IamScene


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
