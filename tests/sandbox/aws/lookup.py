"""CloudTrail's `LookupEvents`, added to moto's: one attribute at most, 50 a page, two calls a second."""

import json
from collections.abc import Callable
from typing import Any

from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import JsonRESTError

from sandbox.aws.clock import Clock
from sandbox.aws.trail import SOURCE, Event, Trail

_MOST, _PER_SECOND = 50, 2
_ATTRIBUTES: dict[str, Callable[[Event, str], bool]] = {
    "EventId": lambda event, value: event.id == value,
    "EventName": lambda event, value: event.name == value,
    "EventSource": lambda _event, value: value == SOURCE,
    "ReadOnly": lambda _event, value: value == "false",
    "Username": lambda event, value: event.user_name == value,
    "ResourceName": lambda event, value: value in event.resources,
    "ResourceType": lambda event, value: value in event.resources.values(),
    "AccessKeyId": lambda event, value: event.caller.get("accessKeyId") == value,
}


class Lookup:
    """Called by moto once the caller was authenticated and allowed `cloudtrail:LookupEvents`."""

    def __init__(self, trail: Trail, clock: Clock) -> None:
        self._trail, self._clock = trail, clock

    def answer(self, response: CloudTrailResponse) -> str:
        """The body."""
        self._limit(response.region)
        asked: dict[str, Any] = json.loads(response.body or "{}")
        found = [event for event in self._visible(response.region, asked) if _matches(event, asked)]
        most, start = asked.get("MaxResults", _MOST), _start(asked)
        if not 1 <= most <= _MOST:
            raise JsonRESTError("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")
        body: dict[str, Any] = {"Events": [event.shown() for event in found[start : start + most]]}
        if start + most < len(found):
            body["NextToken"] = f"from-{start + most}"
        return json.dumps(body)

    def _limit(self, region: str) -> None:
        now = self._clock.seconds()
        recent = [at for at in self._trail.lookups.get(region, []) if at > now - 1]
        if self._trail.limited and len(recent) >= _PER_SECOND:
            raise JsonRESTError("ThrottlingException", "Rate exceeded")
        self._trail.lookups[region] = [*recent, now]

    def _visible(self, region: str, asked: dict[str, Any]) -> list[Event]:
        begin, end = asked.get("StartTime", 0), asked.get("EndTime", float("inf"))
        if begin > end:
            raise JsonRESTError("InvalidTimeRangeException", "The start time is after the end time.")
        now = self._clock.seconds()
        return [event for event in self._trail.visible(region, now) if begin <= int(event.at) <= end]


def _matches(event: Event, asked: dict[str, Any]) -> bool:
    wanted = asked.get("LookupAttributes") or []
    if len(wanted) > 1 or any(one["AttributeKey"] not in _ATTRIBUTES for one in wanted):
        raise JsonRESTError("InvalidLookupAttributesException", "One attribute of the known ones, or none.")
    return all(_ATTRIBUTES[one["AttributeKey"]](event, one["AttributeValue"]) for one in wanted)


def _start(asked: dict[str, Any]) -> int:
    word, _, number = asked.get("NextToken", "from-0").partition("-")
    if word != "from" or not number.isdecimal():
        raise JsonRESTError("InvalidNextTokenException", "This token was not given out.")
    return int(number)
