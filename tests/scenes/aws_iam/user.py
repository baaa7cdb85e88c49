"""An IAM user with one key, an admin with the policy that we ship, and a rotator between them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from credential_rotation.engines.aws_iam.rotator import AwsIamRotator
from credential_rotation.engines.mutex import Hold
from credential_rotation.model import (
    ConnectionAdmin,
    Credential,
    Intent,
    Policy,
    Secret,
    Strategy,
    Target,
    VaultPlace,
)
from sandbox.aws import AwsStandIn
from sandbox.places import INCLUDE

POLICIES = INCLUDE / "iam"
LIFE = (
    "iam:ListAccessKeys",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed",
)

_numbers = itertools.count(1)


@dataclass
class Gate:
    """A mutex for one process, which a test can let run out."""

    is_in: bool = False
    entered: int = 0
    runs_out: bool = False

    @contextmanager
    def __call__(self) -> Iterator[Hold]:
        assert not self.is_in
        self.is_in, self.entered = True, self.entered + 1
        try:
            yield self
        finally:
            self.is_in = False

    def still_held(self) -> bool:
        return self.is_in and not self.runs_out


@dataclass
class IamScene:
    """One user, changed by an admin or by itself."""

    aws: AwsStandIn
    itself: bool
    gate: Gate = field(default_factory=Gate)
    number: int = field(default_factory=lambda: next(_numbers))

    def __post_init__(self) -> None:
        self.user, self.admin_user = f"exports-{self.number}", f"rotator-{self.number}"
        self.first = self._secret(self.user, self.aws.create_user(self.user))
        self.admin = self._secret(self.admin_user, self.aws.create_user(self.admin_user))
        self.may()

    def _secret(self, user: str, key: tuple[str, str]) -> Secret:
        return Secret(user, key[1], key[0])

    def may(self, *, without: Sequence[str] = ()) -> None:
        """Give whoever asks the shipped policy, as a person fills it in."""
        name = "self-rotating-user.json" if self.itself else "admin.json"
        text = (POLICIES / name).read_text(encoding="utf-8")
        text = text.replace("ACCOUNT", self.aws.account_id).replace("PRINCIPAL", self.user)
        policy: dict[str, Any] = json.loads(text)
        for statement in policy["Statement"]:
            actions = statement["Action"]
            listed = [actions] if isinstance(actions, str) else actions
            statement["Action"] = [action for action in listed if action not in without]
        policy["Statement"] = [one for one in policy["Statement"] if one["Action"]]
        self.aws.put_user_policy(self.user if self.itself else self.admin_user, policy)

    @property
    def asker(self) -> str:
        """Who calls AWS."""
        return self.user if self.itself else self.admin_user

    @property
    def credential(self) -> Credential:
        return Credential(
            name="exports",
            engine="aws_iam",
            strategy=Strategy.OVERLAPPING,
            principals=(self.user,),
            target=Target("", {"region": self.aws.region}),
            vault=VaultPlace(project="data", format="aws-credentials", key="exports"),
            policy=Policy("quarterly", max_age=timedelta(days=90), grace=timedelta(days=1)),
            owner="data-platform",
            source="aws.yaml:2",
            admin=None if self.itself else ConnectionAdmin("aws_iam_admin"),
        )

    def rotator(
        self,
        *,
        patience: float = 30.0,
        mutex: Callable[[], AbstractContextManager[Hold]] | None = None,
        **changed: Any,  # noqa: ANN401 - fields of a Credential
    ) -> AwsIamRotator:
        """A rotator as a new process makes it."""
        return AwsIamRotator(
            replace(self.credential, **changed),
            admin=None if self.itself else lambda: self.admin,
            mutex=mutex or self.gate,
            patience=timedelta(seconds=patience),
        )

    def listed(self) -> list[tuple[str, str]]:
        """The user's keys and their status, asked of the account itself."""
        return [(key.id, key.status) for key in self.aws.keys(self.user)]

    def actions(self) -> list[str]:
        """What was asked of AWS, in order."""
        return [line.action for line in self.aws.requests()]


def intent(attempt: str = "c0ffee123456", there: tuple[str, ...] = ()) -> Intent:
    """An intent of this attempt, written now."""
    at = datetime.now(timezone.utc)
    return Intent(id="i", epoch=1, attempt=attempt, written=at, revised=at, there=there)
