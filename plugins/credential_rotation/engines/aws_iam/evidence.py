"""Who made a key, as CloudTrail tells it.

Rules this file keeps:
- Only a CreateAccessKey that succeeded and answered with this very key is evidence, for or against.
- No event is no evidence: the trail is minutes late, and keeps 90 days.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from credential_rotation.engines.aws_iam.calls import DENIED, AwsCalls, Refused
from credential_rotation.model import Key

_HOMES = {"cn-": "cn-north-1", "us-gov-": "us-gov-west-1"}
_MARGIN = timedelta(minutes=15)
_MOST = 200
"""Events of other keys that are looked through; two requests a second are all that AWS allows."""


def agent_of(attempt: str) -> str:
    """What a request of this attempt adds to its user agent."""
    return f"credential-rotation/{attempt}"


def is_made_by(calls: AwsCalls, key: Key, attempt: str) -> bool | None:
    """Whether the trail proves that this attempt made the key, or that it did not.

    Raises: NoAnswer, Refused.
    """
    try:
        for event in _events(calls, key):
            if _made(event) == key.login:
                return agent_of(attempt) in str(event.get("userAgent", "")).strip("[]").split()
    except Refused as refused:
        if refused.code not in DENIED:
            raise
    return None


def _events(calls: AwsCalls, key: Key) -> Iterator[dict[str, Any]]:
    """Those that name the key; where the trail does not list it as a resource, all that made keys then."""
    home = next((home for prefix, home in _HOMES.items() if calls.region.startswith(prefix)), "us-east-1")
    since = key.created - _MARGIN
    for attribute, value in (("ResourceName", key.login), ("EventName", "CreateAccessKey")):
        found = calls.events(attribute, value, since=since, region=home)
        for _, text in zip(range(_MOST), found, strict=False):
            event = json.loads(text)
            if isinstance(event, dict):
                yield event


def _made(event: dict[str, Any]) -> str | None:
    """The id of the key that this event made."""
    if event.get("eventName") != "CreateAccessKey" or event.get("errorCode"):
        return None
    try:
        return str(event["responseElements"]["accessKey"]["accessKeyId"])
    except (KeyError, TypeError):
        return None
