"""What the controlling side may ask of the server: it is the account's root, and the hand on the cables.

One JSON object in, `{"do": name, "with": {…}}`, one out.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta, timezone
from typing import Any

from moto.core.exceptions import ServiceException
from moto.s3.models import s3_backends

from sandbox.aws.faults import Fault, throttling
from sandbox.aws.gate import Gate, made_key
from sandbox.aws.keyring import Lag
from sandbox.aws.strict_moto import ACCOUNT, PARTITION, iam
from sandbox.aws.trail import Event

_ROOT = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}
_BROWSER = "Mozilla/5.0 (a person in the console)"
_POLICY = "given"


class Control:
    """The requests by name; each public method is one."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def obey(self, body: bytes) -> bytes:
        """Do what it says and say how it went."""
        asked = json.loads(body)
        try:
            with self._gate.lock:
                wish: Callable[..., object] = getattr(self, asked["do"])
                answer: dict[str, object] = {"ok": wish(**asked["with"])}
        except ServiceException as refused:
            answer = {"error": f"{refused.code}: {refused.message}"}
        except (AttributeError, KeyError, TypeError, ValueError) as wrong:
            answer = {"error": f"{type(wrong).__name__}: {wrong}"}
        return json.dumps(answer).encode()

    def create_user(self, name: str, policy: dict[str, Any] | None) -> list[str]:
        """A user with one key that every service knows."""
        iam().create_user(region_name="us-east-1", user_name=name)
        if policy is not None:
            self.put_user_policy(name, policy)
        return self.create_key(name)

    def put_user_policy(self, user: str, policy: dict[str, Any]) -> None:
        """The user's only policy; works at once."""
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        for statement in statements:
            if unknown := {"Condition", "NotResource", "NotPrincipal"} & set(statement):
                raise ValueError(f"{', '.join(sorted(unknown))} is not modelled here")
        iam().put_user_policy(user, _POLICY, json.dumps(policy))

    def delete_user_policy(self, user: str) -> None:
        """From now on it may do nothing."""
        iam().delete_user_policy(user, _POLICY)

    def keys(self, user: str) -> list[list[Any]]:
        """Id, status and creation of each, oldest first."""
        return [
            [key.access_key_id, key.status, key.create_date.replace(tzinfo=timezone.utc).timestamp()]
            for key in iam().list_access_keys(user)
        ]

    def create_key(self, user: str) -> list[str]:
        """Made by hand; every service knows it."""
        key = iam().create_access_key(user)
        self._gate.keyring.settle(key.access_key_id)
        self._note("CreateAccessKey", {"userName": user}, made_key(key.access_key_id, user))
        return [key.access_key_id, key.secret_access_key]

    def update_key(self, user: str, key_id: str, status: str) -> None:
        """Activated or made inactive by hand."""
        iam().update_access_key(user, key_id, status)
        self._note("UpdateAccessKey", {"userName": user, "accessKeyId": key_id, "status": status})

    def delete_key(self, user: str, key_id: str) -> None:
        """Deleted by hand."""
        iam().delete_access_key(key_id, user)
        self._note("DeleteAccessKey", {"userName": user, "accessKeyId": key_id})

    def create_bucket(self, name: str, region: str) -> None:
        """An empty one."""
        s3_backends[ACCOUNT][PARTITION].create_bucket(name, region)

    def lag(self, new: dict[str, float], dead: dict[str, float], flapping: float) -> None:
        """For what happens to keys from now on."""
        self._gate.keyring.lag = Lag(new, dead, flapping)

    def advance_clock(self, seconds: float) -> None:
        """Let the server live later."""
        self._gate.clock.advance(seconds)

    def calm_down(self) -> None:
        """Nothing is late or broken any more, and the clock is right."""
        gate = self._gate
        gate.clock.set_right()
        gate.faults.clear()
        gate.log.lines.clear()
        gate.keyring.lag, gate.keyring.last_used_delay = Lag(), 0.0
        gate.trail.delay, gate.trail.limited, gate.trail.lookups = 0.0, True, {}

    def age_key(self, key_id: str, seconds: float) -> None:
        """Its creation, its uses and its events lie further back."""
        key = self._gate.keyring.keys[key_id]
        listed = next(key for key in iam().list_access_keys(key.user) if key.access_key_id == key_id)
        listed.create_date -= timedelta(seconds=seconds)
        key.age(seconds)
        self._gate.trail.age(key_id, seconds)

    def last_used_delay(self, seconds: float) -> None:
        """How late use shows."""
        self._gate.keyring.last_used_delay = seconds

    def trail_delay(self, seconds: float) -> None:
        """How late events show."""
        self._gate.trail.delay = seconds

    def trail_limit(self, on: bool) -> None:  # noqa: FBT001 - a JSON field
        """Two lookups a second, or any number."""
        self._gate.trail.limited = on

    def trail(self) -> list[dict[str, Any]]:
        """Every event, also what does not show yet, oldest first."""
        return [event.raw() for event in self._gate.trail.events]

    def fault(self, **fault: Any) -> None:  # noqa: ANN401 - the fields of a Fault
        """Switch a fault on."""
        self._gate.faults.add(Fault(**fault))

    def throttle(self, action: str, times: int | None) -> None:
        """Too many requests, for so many of them."""
        self._gate.faults.add(throttling(action, times))

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._gate.faults.clear()

    def requests(self) -> list[dict[str, Any]]:
        """The request log."""
        return [asdict(line) for line in self._gate.log.lines]

    def clear_requests(self) -> None:
        """Forget the request log."""
        self._gate.log.lines.clear()

    def _note(self, name: str, parameters: dict[str, str], made: dict[str, Any] | None = None) -> None:
        at = self._gate.clock.seconds()
        self._gate.trail.events.append(Event(name, at, dict(_ROOT), _BROWSER, parameters, made))
