"""Makes moto as strict as IAM: the one file that knows moto's insides. It is made for the pinned version.

1. Whether a key works is asked of the keyring, per service; moto itself lets an inactive key in.
2. IAM's calls on a user are allowed or not for that user's ARN, and `${aws:username}` is the caller; moto
   asks for `*`, so that a policy for one user would allow nothing. Without a user name the caller is meant.
3. Last use is what the keyring was told; moto counts every request, also one that it refuses.
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from moto.cloudtrail.responses import CloudTrailResponse
from moto.iam.access_control import CreateAccessKeyFailure, IAMUserAccessKey
from moto.iam.exceptions import IAMException
from moto.iam.models import AccessKey, AccessKeyLastUsed, IAMBackend, Policy, User, iam_backends
from moto.iam.responses import IamResponse

from sandbox.aws.clock import Clock, moment
from sandbox.aws.keyring import Keyring

ACCOUNT = "123456789012"
PARTITION = "aws"
_FOR_ONESELF = ("CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "ListAccessKeys", "GetUser")


@dataclass(frozen=True, slots=True)
class Observation:
    """How the request under way is judged: by the keys as of when, and whether it counts."""

    service: str
    at: float
    counted: bool


OBSERVED: ContextVar[Observation] = ContextVar("OBSERVED")


def iam() -> IAMBackend:
    """IAM behind its API."""
    backend: IAMBackend = iam_backends[ACCOUNT][PARTITION]
    return backend


def install(keyring: Keyring, clock: Clock, lookup_events: Callable[[CloudTrailResponse], str]) -> None:
    """Once per process, before the first request."""
    _judge_keys(keyring)
    _write_lives(keyring, clock)
    _write_use(keyring, clock)
    _mean_the_caller(keyring)
    _add_lookup(lookup_events)


def _add_lookup(answer: Callable[[CloudTrailResponse], str]) -> None:
    def lookup_events(self: CloudTrailResponse) -> str:
        return answer(self)

    _set(CloudTrailResponse, "lookup_events", lookup_events)


def _set(owner: object, name: str, new: object) -> None:
    setattr(owner, name, new)


def _judge_keys(keyring: Keyring) -> None:
    def look_up(
        self: Any,  # noqa: ANN401 - moto's class, whose attributes it does not declare
        account_id: str,
        partition: str,
        access_key_id: str,
        headers: dict[str, str],
    ) -> None:
        key, seen = keyring.keys.get(access_key_id), OBSERVED.get()
        if key is None or not key.works(seen.service, seen.at, counted=seen.counted):
            raise CreateAccessKeyFailure(reason="InvalidId")
        if "X-Amz-Security-Token" in headers:
            raise CreateAccessKeyFailure(reason="InvalidToken")
        self.account_id, self.partition = account_id, partition
        self._owner_user_name, self._access_key_id = key.user, access_key_id
        self._secret_access_key = key.secret

    collect = IAMUserAccessKey.collect_policies

    def collect_policies(self: IAMUserAccessKey) -> list[str]:
        return [_document(policy, self._owner_user_name) for policy in collect(self)]

    _set(IAMUserAccessKey, "__init__", look_up)
    _set(IAMUserAccessKey, "collect_policies", collect_policies)


def _document(policy: object, user: str) -> str:
    if isinstance(policy, Policy):
        text = str(next(version.document for version in policy.versions if version.is_default))
    else:
        assert isinstance(policy, dict)
        text = str(policy["policy_document"])
    return text.replace("${aws:username}", json.dumps(user)[1:-1])


def _write_lives(keyring: Keyring, clock: Clock) -> None:
    create, update, delete = (
        IAMBackend.create_access_key,
        IAMBackend.update_access_key,
        IAMBackend.delete_access_key,
    )

    def create_access_key(
        self: IAMBackend, user_name: str, prefix: str = "AKIA", status: str = "Active"
    ) -> AccessKey:
        key, now = create(self, user_name, prefix, status), clock.seconds()
        key.create_date = moment(now).replace(tzinfo=None)
        keyring.add(key.access_key_id, user_name, key.secret_access_key, now)
        return key

    def update_access_key(
        self: IAMBackend, user_name: str, access_key_id: str, status: str | None = None
    ) -> AccessKey:
        key = update(self, user_name, access_key_id, status)
        keyring.turn(access_key_id, clock.seconds(), alive=key.status == "Active")
        return key

    def delete_access_key(self: IAMBackend, access_key_id: str, user_name: str) -> None:
        delete(self, access_key_id, user_name)
        keyring.turn(access_key_id, clock.seconds(), alive=False)

    for function in (create_access_key, update_access_key, delete_access_key):
        _set(IAMBackend, function.__name__, function)


def _write_use(keyring: Keyring, clock: Clock) -> None:
    ask, find = IAMBackend.get_access_key_last_used, IAMBackend.get_user_from_access_key_id

    def get_access_key_last_used(self: IAMBackend, access_key_id: str) -> dict[str, Any]:
        known = ask(self, access_key_id)
        use = keyring.last_use(access_key_id, clock.seconds())
        seen = use and AccessKeyLastUsed(moment(use.at).replace(tzinfo=None), use.service, use.region)
        return known | {"last_used": seen}

    def get_user_from_access_key_id(self: IAMBackend, access_key_id: str) -> User | None:
        key = keyring.keys.get(access_key_id)
        return self.get_user(key.user) if key else find(self, access_key_id)

    _set(IAMBackend, "get_access_key_last_used", get_access_key_last_used)
    _set(IAMBackend, "get_user_from_access_key_id", get_user_from_access_key_id)


def _mean_the_caller(keyring: Keyring) -> None:
    get_param, determine_resource = IamResponse._get_param, IamResponse._determine_resource

    def _get_param(self: IamResponse, param_name: str, if_none: object = None) -> object:
        given = get_param(self, param_name, if_none)
        meant = param_name == "UserName" and not given and self._get_action() in _FOR_ONESELF
        caller = keyring.keys.get(self.access_key) if meant else None
        return caller.user if caller else given

    def _determine_resource(self: IamResponse) -> str:
        if self._get_action() == "GetAccessKeyLastUsed":
            key = keyring.keys.get(str(self._get_param("AccessKeyId")))
            return _arn(key.user) if key else "*"
        user = self._get_param("UserName")
        return _arn(str(user)) if user else determine_resource(self)

    _set(IamResponse, "_get_param", _get_param)
    _set(IamResponse, "_determine_resource", _determine_resource)


def _arn(user: str) -> str:
    try:
        return str(iam().get_user(user).arn)
    except IAMException:
        return f"arn:{PARTITION}:iam::{ACCOUNT}:user/{user}"
