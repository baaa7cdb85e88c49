"""AWS seen from the side that started it: the account's root, and a hand on the cables."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from sandbox.aws.asking import is_let_in
from sandbox.aws.clock import moment
from sandbox.aws.faults import Fault
from sandbox.aws.request_log import LogLine
from sandbox.stand_in_process import StandInProcess


class Key(NamedTuple):
    """An access key as root sees it."""

    id: str
    status: str
    created: datetime


class AwsStandIn(StandInProcess):
    """One account, on a port of its own."""

    region = "eu-central-1"
    account_id = "123456789012"

    name = "aws"
    environ: ClassVar = {"INITIAL_NO_AUTH_ACTION_COUNT": "0"}

    def __init__(self, directory: Path, *, hold: int | None = None) -> None:
        """Nothing runs before `start()`; the account begins empty."""
        super().__init__(directory, hold=hold)
        self._observer = f"observer-{secrets.token_urlsafe(16)}"

    def _told(self) -> dict[str, str]:
        return {"observer": self._observer}

    @property
    def endpoint_url(self) -> str:
        """For every service; also as AWS_ENDPOINT_URL."""
        return self.url

    def create_user(self, name: str, policy: Mapping[str, Any] | None = None) -> tuple[str, str]:
        """A user with one key, which every service knows: its id and its secret."""
        key_id, secret = self._do("create_user", name=name, policy=policy)
        return key_id, secret

    def put_user_policy(self, user: str, policy: Mapping[str, Any]) -> None:
        """The user's only policy; works at once."""
        self._do("put_user_policy", user=user, policy=policy)

    def delete_user_policy(self, user: str) -> None:
        """From now on it may do nothing."""
        self._do("delete_user_policy", user=user)

    def keys(self, user: str) -> list[Key]:
        """The user's keys, oldest first."""
        return [Key(key_id, status, moment(at)) for key_id, status, at in self._do("keys", user=user)]

    def create_key(self, user: str) -> tuple[str, str]:
        """A key that a person made by hand, which every service knows."""
        key_id, secret = self._do("create_key", user=user)
        return key_id, secret

    def update_key(self, user: str, key_id: str, status: str) -> None:
        """A person sets "Active" or "Inactive"."""
        self._do("update_key", user=user, key_id=key_id, status=status)

    def delete_key(self, user: str, key_id: str) -> None:
        """A person deletes a key."""
        self._do("delete_key", user=user, key_id=key_id)

    def create_bucket(self, name: str) -> None:
        """An empty one."""
        self._do("create_bucket", name=name, region=self.region)

    def works(self, key_id: str, secret: str, service: str = "sts") -> bool:
        """Whether "sts", "iam" or "s3" lets the key in now; asking leaves no trace and counts nothing."""
        return is_let_in(self.endpoint_url, self.region, (key_id, secret), service, user_agent=self._observer)

    def lag(
        self,
        new: Mapping[str, float] | None = None,
        dead: Mapping[str, float] | None = None,
        flapping: float = 0.0,
    ) -> None:
        """How many seconds a service takes to hear of keys that turn alive or dead from now on (0: at once).

        A service with a lag then alternates for `flapping` seconds, the new answer first.
        """
        self._do("lag", new=new or {}, dead=dead or {}, flapping=flapping)

    def advance_clock(self, seconds: float) -> None:
        """From now on the server lives that much later; dates that it gave out stay."""
        self._do("advance_clock", seconds=seconds)

    def calm_down(self) -> None:
        """No lag, delay or fault any more, no request in the log, the clock right; users and keys stay."""
        self._do("calm_down")

    def age_key(self, key_id: str, seconds: float) -> None:
        """Let a key be that much older, with its uses and its events, for a client that lives now."""
        self._do("age_key", key_id=key_id, seconds=seconds)

    def last_used_delay(self, seconds: float) -> None:
        """How late a use shows in GetAccessKeyLastUsed."""
        self._do("last_used_delay", seconds=seconds)

    def trail_delay(self, seconds: float) -> None:
        """How late an event shows in LookupEvents."""
        self._do("trail_delay", seconds=seconds)

    def trail_limit(self, on: bool) -> None:  # noqa: FBT001 - reads as a switch
        """Two LookupEvents a second (as at the start), or any number."""
        self._do("trail_limit", on=on)

    def trail(self) -> list[dict[str, Any]]:
        """CloudTrail's records, also those that do not show yet, oldest first."""
        records: list[dict[str, Any]] = self._do("trail")
        return records

    def fault(self, fault: Fault) -> None:
        """Switch a fault on."""
        self._do("fault", **asdict(fault))

    def throttle(self, action: str, times: int | None = None) -> None:
        """Refuse so many requests of an action ("iam:CreateAccessKey", a pattern) as too many."""
        self._do("throttle", action=action, times=times)

    def clear_faults(self) -> None:
        """Switch all faults and throttles off."""
        self._do("clear_faults")

    def requests(self) -> list[LogLine]:
        """Every request since the last clearing, oldest first."""
        return [LogLine(**line) for line in self._do("requests")]

    def clear_requests(self) -> None:
        """Forget the request log."""
        self._do("clear_requests")

    def _do(self, wish: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Raises: ValueError, as the server says."""
        said = self._control({"do": wish, "with": arguments})
        if "error" in said:
            raise ValueError(said["error"])
        return said["ok"]
