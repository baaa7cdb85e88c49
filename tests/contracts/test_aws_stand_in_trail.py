"""CloudTrail as the stand-in tells it: who made, changed or deleted which key, and with what user agent."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sandbox.aws import AwsStandIn
from sandbox.aws.sdk import Caller, NewCaller, failure_of

pytest_plugins = ["sandbox.aws.fixtures"]

READER = ("iam:*", "cloudtrail:LookupEvents")


def attribute(key: str, value: str) -> list[Any]:
    return [{"AttributeKey": key, "AttributeValue": value}]


def events_of(caller: Caller, region: str = "us-east-1") -> list[str]:
    """The names of the events about this user, newest first."""
    about = attribute("ResourceName", caller.name)
    found = caller.trail(region).lookup_events(LookupAttributes=about)["Events"]
    return [event["EventName"] for event in found]


def test_a_keys_life_is_told_with_the_user_agent_that_asked_for_it(caller: NewCaller) -> None:
    """Which is how a key that no record names is proved to be ours."""
    someone = caller(*READER, user_agent="credential-rotation/attempt-7")
    made, _ = someone.new_key()
    someone.iam.update_access_key(UserName=someone.name, AccessKeyId=made, Status="Inactive")
    someone.iam.delete_access_key(UserName=someone.name, AccessKeyId=made)
    found = someone.trail().lookup_events(LookupAttributes=attribute("ResourceName", made))["Events"]
    assert [event["EventName"] for event in found] == [
        "DeleteAccessKey",
        "UpdateAccessKey",
        "CreateAccessKey",
    ]
    created = found[-1]
    assert (created["Username"], created["AccessKeyId"]) == (someone.name, someone.key_id)
    assert abs(created["EventTime"] - datetime.now(timezone.utc)) < timedelta(seconds=30)
    record = json.loads(created["CloudTrailEvent"])
    assert "credential-rotation/attempt-7" in record["userAgent"]
    assert record["userIdentity"]["userName"] == someone.name
    assert record["requestParameters"] == {"userName": someone.name}
    assert record["responseElements"]["accessKey"]["accessKeyId"] == made
    assert json.loads(found[1]["CloudTrailEvent"])["requestParameters"]["status"] == "Inactive"


def test_no_secret_is_in_the_trail(aws: AwsStandIn, caller: NewCaller) -> None:
    """It names the key, not what it opens."""
    _, secret = caller().new_key()
    assert secret not in json.dumps(aws.trail())


def test_what_a_person_does_by_hand_is_told_too(aws: AwsStandIn, caller: NewCaller) -> None:
    """With another user agent, so that it is not mistaken for ours."""
    someone = caller(*READER)
    key_id, _ = aws.create_key(someone.name)
    aws.update_key(someone.name, key_id, "Inactive")
    aws.delete_key(someone.name, key_id)
    found = someone.trail().lookup_events(LookupAttributes=attribute("ResourceName", key_id))["Events"]
    assert [event["Username"] for event in found] == ["root"] * 3
    assert {json.loads(event["CloudTrailEvent"])["userIdentity"]["type"] for event in found} == {"Root"}


def test_a_failed_call_is_told_as_one(aws: AwsStandIn, caller: NewCaller) -> None:
    """An event is no proof of an effect; whoever was not let in leaves none."""
    someone, powerless = caller(*READER), caller("sts:*")
    failure_of(powerless.iam.delete_access_key, UserName=someone.name, AccessKeyId=someone.key_id)
    failure_of(someone.holding((someone.key_id, "x")).iam.create_access_key, UserName=someone.name)
    assert events_of(someone) == ["DeleteAccessKey", "CreateAccessKey"]
    failed = aws.trail()[-1]
    assert (failed["errorCode"], failed["userIdentity"]["userName"]) == ("AccessDenied", powerless.name)


def test_iam_is_told_in_one_region_only_and_late(aws: AwsStandIn, caller: NewCaller) -> None:
    """An empty answer elsewhere, or too early, proves nothing."""
    aws.trail_delay(900)
    someone = caller(*READER)
    assert events_of(someone) == []
    aws.advance_clock(901)
    assert events_of(someone) == ["CreateAccessKey"]
    assert events_of(someone, "eu-central-1") == []


def test_two_lookups_a_second(aws: AwsStandIn, caller: NewCaller) -> None:
    """The third is throttled, and a second later it is not; each region counts for itself."""
    someone = caller(*READER)
    look, elsewhere = someone.trail().lookup_events, someone.trail("eu-central-1").lookup_events
    look()
    look()
    assert failure_of(look) == "ThrottlingException"
    elsewhere()
    aws.advance_clock(1.1)
    look()
    aws.trail_limit(on=False)
    for _ in range(3):
        look()


def test_it_must_be_allowed(caller: NewCaller) -> None:
    """Permission to manage keys is none to read about them."""
    assert failure_of(caller("iam:*").trail().lookup_events) == "AccessDeniedException"


def test_it_is_read_in_pages_and_by_time(aws: AwsStandIn, caller: NewCaller) -> None:
    """With boto3's own paginator."""
    aws.trail_limit(on=False)
    someone = caller(*READER)
    for _ in range(3):
        made, _ = someone.new_key()
        someone.iam.delete_access_key(UserName=someone.name, AccessKeyId=made)
    pages = list(
        someone.trail()
        .get_paginator("lookup_events")
        .paginate(LookupAttributes=attribute("ResourceName", someone.name), PaginationConfig={"PageSize": 3})
    )
    assert [len(page["Events"]) for page in pages] == [3, 3, 1]
    later = datetime.now(timezone.utc) + timedelta(minutes=1)
    assert someone.trail().lookup_events(StartTime=later)["Events"] == []
    by_caller = attribute("AccessKeyId", someone.key_id)
    assert len(someone.trail().lookup_events(LookupAttributes=by_caller)["Events"]) == 6


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"LookupAttributes": attribute("EventName", "x") * 2}, "InvalidLookupAttributesException"),
        ({"NextToken": "guessed"}, "InvalidNextTokenException"),
        ({"StartTime": 2_000_000_000, "EndTime": 1_000_000_000}, "InvalidTimeRangeException"),
    ],
    ids=["two attributes", "a made-up token", "end before start"],
)
def test_what_cloudtrail_does_not_take(caller: NewCaller, asked: dict[str, Any], code: str) -> None:
    """One attribute at a time."""
    assert failure_of(caller(*READER).trail().lookup_events, **asked) == code
