"""The real boto3, pointed at the stand-in: no retries, explicit keys, nothing of this machine's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.aws.stand_in import AwsStandIn

if TYPE_CHECKING:
    from types_boto3_cloudtrail import CloudTrailClient
    from types_boto3_iam import IAMClient
    from types_boto3_s3 import S3Client
    from types_boto3_sts import STSClient

_NUMBERS = count(1)


class Caller:
    """Whoever holds a key."""

    def __init__(
        self, aws: AwsStandIn, name: str, key: tuple[str, str], *, user_agent: str | None = None
    ) -> None:
        """`user_agent` is added to boto3's own."""
        self.aws, self.name, (self.key_id, self.secret) = aws, name, key
        self._session = boto3.session.Session()
        # `max_attempts` would count retries only, so that 1 means two requests.
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra=user_agent,
            connect_timeout=5,
            read_timeout=2,
        )
        self._settings: dict[str, Any] = {
            "endpoint_url": aws.endpoint_url,
            "aws_access_key_id": self.key_id,
            "aws_secret_access_key": self.secret,
            "config": config,
        }

    def holding(self, key: tuple[str, str]) -> Caller:
        """The same user with another key."""
        return Caller(self.aws, self.name, key)

    @property
    def iam(self) -> IAMClient:
        """IAM."""
        return self._session.client("iam", self.aws.region, **self._settings)

    @property
    def sts(self) -> STSClient:
        """STS."""
        return self._session.client("sts", self.aws.region, **self._settings)

    @property
    def s3(self) -> S3Client:
        """S3."""
        return self._session.client("s3", self.aws.region, **self._settings)

    def trail(self, region: str = "us-east-1") -> CloudTrailClient:
        """CloudTrail."""
        return self._session.client("cloudtrail", region, **self._settings)

    def new_key(self) -> tuple[str, str]:
        """Asked of IAM by this user for itself."""
        made = self.iam.create_access_key(UserName=self.name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]


class NewCaller:
    """Makes users, each with one key."""

    def __init__(self, aws: AwsStandIn) -> None:
        self._aws = aws

    def __call__(
        self, *actions: str, policy: Mapping[str, Any] | None = None, user_agent: str | None = None
    ) -> Caller:
        """One who may do these actions, or what the policy says; when neither is given, all about keys."""
        name = f"user-{next(_NUMBERS)}"
        may = policy or allow(*actions or ("iam:*AccessKey*",))
        return Caller(self._aws, name, self._aws.create_user(name, may), user_agent=user_agent)


def failure_of(call: Callable[..., object], **arguments: object) -> str:
    """The code of the error that the call ends with."""
    try:
        call(**arguments)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    raise AssertionError("it did not fail")


def allow(*actions: str, on: str = "*") -> Mapping[str, Any]:
    """A policy."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": on}],
    }
