"""AWS seen from the side that started it: the account's root, and a hand on the cables."""

import json
import os
import secrets
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.aws.asking import is_let_in
from sandbox.aws.clock import moment
from sandbox.aws.faults import Fault
from sandbox.aws.request_log import LogLine
from sandbox.kept import Kept, wait_until

_TESTS = Path(__file__).parents[2]
_READY_WITHIN = 60.0


class Key(NamedTuple):
    """An access key as root sees it."""

    id: str
    status: str
    created: datetime


class AwsStandIn:
    """One account, on a port of its own."""

    region = "eu-central-1"
    account_id = "123456789012"

    def __init__(self, directory: Path, *, hold: int | None = None) -> None:
        """Nothing runs before `start()`."""
        self._directory, self._hold = directory, hold
        self._kept: Kept | None = None
        self._port = 0
        self._control_path = f"/control/{secrets.token_urlsafe(16)}"
        self._observer = f"observer-{secrets.token_urlsafe(16)}"

    def __enter__(self) -> "AwsStandIn":  # noqa: PYI034 - typing.Self is 3.11
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once clients can connect; the account is empty."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        port_file = self._directory / "port"
        port_file.unlink(missing_ok=True)
        known = {"control_path": self._control_path, "observer": self._observer}
        self._kept = Kept(
            [sys.executable, "-m", "sandbox.aws", self._directory],
            log=self._directory / "aws.log",
            env={
                "PATH": os.defpath,
                "PYTHONPATH": str(_TESTS),
                "AWS_SANDBOX": json.dumps(known),
                "INITIAL_NO_AUTH_ACTION_COUNT": "0",
            },
            grace=1.0,
            hold=self._hold,
        )
        try:
            wait_until(port_file.exists, "AWS", within=_READY_WITHIN, kept=(self._kept,))
            self._port = int(port_file.read_text())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; again is fine."""
        if self._kept is not None:
            self._kept.stop()
            self._kept = None

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._kept is not None, "AWS is not running"
        return self._kept.pid

    @property
    def endpoint_url(self) -> str:
        """For every service; also as AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._port}"

    def create_user(self, name: str, policy: Mapping[str, Any] | None = None) -> tuple[str, str]:
        """A user with one key, which every service knows: its id and its secret."""
        key_id, secret = self._control("create_user", name=name, policy=policy)
        return key_id, secret

    def put_user_policy(self, user: str, policy: Mapping[str, Any]) -> None:
        """The user's only policy; works at once."""
        self._control("put_user_policy", user=user, policy=policy)

    def delete_user_policy(self, user: str) -> None:
        """From now on it may do nothing."""
        self._control("delete_user_policy", user=user)

    def keys(self, user: str) -> list[Key]:
        """The user's keys, oldest first."""
        return [Key(key_id, status, moment(at)) for key_id, status, at in self._control("keys", user=user)]

    def create_key(self, user: str) -> tuple[str, str]:
        """A key that a person made by hand, which every service knows."""
        key_id, secret = self._control("create_key", user=user)
        return key_id, secret

    def update_key(self, user: str, key_id: str, status: str) -> None:
        """A person sets "Active" or "Inactive"."""
        self._control("update_key", user=user, key_id=key_id, status=status)

    def delete_key(self, user: str, key_id: str) -> None:
        """A person deletes a key."""
        self._control("delete_key", user=user, key_id=key_id)

    def create_bucket(self, name: str) -> None:
        """An empty one."""
        self._control("create_bucket", name=name, region=self.region)

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
        self._control("lag", new=new or {}, dead=dead or {}, flapping=flapping)

    def advance_clock(self, seconds: float) -> None:
        """From now on the server lives that much later; dates that it gave out stay."""
        self._control("advance_clock", seconds=seconds)

    def calm_down(self) -> None:
        """No lag, delay or fault any more, no request in the log, the clock right; users and keys stay."""
        self._control("calm_down")

    def age_key(self, key_id: str, seconds: float) -> None:
        """Let a key be that much older, with its uses and its events, for a client that lives now."""
        self._control("age_key", key_id=key_id, seconds=seconds)

    def last_used_delay(self, seconds: float) -> None:
        """How late a use shows in GetAccessKeyLastUsed."""
        self._control("last_used_delay", seconds=seconds)

    def trail_delay(self, seconds: float) -> None:
        """How late an event shows in LookupEvents."""
        self._control("trail_delay", seconds=seconds)

    def trail_limit(self, on: bool) -> None:  # noqa: FBT001 - reads as a switch
        """Two LookupEvents a second (as at the start), or any number."""
        self._control("trail_limit", on=on)

    def trail(self) -> list[dict[str, Any]]:
        """CloudTrail's records, also those that do not show yet, oldest first."""
        records: list[dict[str, Any]] = self._control("trail")
        return records

    def fault(self, fault: Fault) -> None:
        """Switch a fault on."""
        self._control("fault", **asdict(fault))

    def throttle(self, action: str, times: int | None = None) -> None:
        """Refuse so many requests of an action ("iam:CreateAccessKey", a pattern) as too many."""
        self._control("throttle", action=action, times=times)

    def clear_faults(self) -> None:
        """Switch all faults and throttles off."""
        self._control("clear_faults")

    def requests(self) -> list[LogLine]:
        """Every request since the last clearing, oldest first."""
        return [LogLine(**line) for line in self._control("requests")]

    def clear_requests(self) -> None:
        """Forget the request log."""
        self._control("clear_requests")

    def _control(self, wish: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{self._control_path}",
            data=json.dumps({"do": wish, "with": arguments}).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=10) as answer:
            said = json.load(answer)
        if "error" in said:
            raise ValueError(said["error"])
        return said["ok"]
