"""CloudTrail's memory of what happened to access keys: our own, since moto has none.

1. Events of CreateAccessKey, UpdateAccessKey and DeleteAccessKey, also of those that failed, with the error.
   Calls that were not authenticated leave none.
2. IAM is global, so its events are in us-east-1 only, and become visible `delay` seconds after they happened.
"""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from sandbox.aws.clock import moment

HOME_REGION = "us-east-1"
SOURCE = "iam.amazonaws.com"
NAMES = ("CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey")


@dataclass(slots=True)
class Event:
    """One call, as CloudTrail tells it."""

    name: str
    at: float
    caller: dict[str, str]
    user_agent: str
    parameters: dict[str, str] | None
    made: dict[str, Any] | None = None
    error: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def user_name(self) -> str:
        """Whose call it was."""
        return self.caller.get("userName", "root")

    @property
    def resources(self) -> dict[str, str]:
        """The key and the user that it is about, by name."""
        about = (self.parameters or {}) | (self.made or {}).get("accessKey", {})
        kinds = {"accessKeyId": "AWS::IAM::AccessKey", "userName": "AWS::IAM::User"}
        return {str(about[name]): kind for name, kind in kinds.items() if name in about}

    def raw(self) -> dict[str, Any]:
        """The record itself, which travels as a JSON text."""
        failed = {"errorCode": self.error} if self.error else {}
        return {
            "eventVersion": "1.09",
            "userIdentity": self.caller,
            "eventTime": f"{moment(self.at):%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": SOURCE,
            "eventName": self.name,
            "awsRegion": HOME_REGION,
            "sourceIPAddress": "127.0.0.1",
            "userAgent": self.user_agent,
            **failed,
            "requestParameters": self.parameters,
            "responseElements": self.made,
            "eventID": self.id,
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "eventCategory": "Management",
        }

    def shown(self) -> dict[str, Any]:
        """What LookupEvents answers."""
        about = self.resources.items()
        return {
            "EventId": self.id,
            "EventName": self.name,
            "ReadOnly": "false",
            "AccessKeyId": self.caller.get("accessKeyId", ""),
            "EventTime": int(self.at),
            "EventSource": SOURCE,
            "Username": self.user_name,
            "Resources": [{"ResourceType": kind, "ResourceName": name} for name, kind in about],
            "CloudTrailEvent": json.dumps(self.raw()),
        }


class Trail:
    """Every event, oldest first."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.delay = 0.0
        self.limited = True
        self.lookups: dict[str, list[float]] = {}

    def visible(self, region: str, now: float) -> list[Event]:
        """What may be found now, newest first."""
        if region != HOME_REGION:
            return []
        seen = [event for event in self.events if event.at + self.delay <= now]
        return sorted(seen, key=lambda event: event.at, reverse=True)

    def age(self, key_id: str, seconds: float) -> None:
        """Let what happened to this key lie further back."""
        for event in self.events:
            if key_id in event.resources:
                event.at -= seconds
