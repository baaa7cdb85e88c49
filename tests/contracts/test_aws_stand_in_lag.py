"""What AWS does late, the stand-in does late when told: new keys, dead keys, and ages without waiting."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from sandbox.aws import AwsStandIn
from sandbox.aws.sdk import Caller, NewCaller, failure_of

pytest_plugins = ["sandbox.aws.fixtures"]

SERVICES = ("sts", "iam", "s3")
LONG = 1000.0


def let_in(aws: AwsStandIn, key: tuple[str, str]) -> list[str]:
    return [service for service in SERVICES if aws.works(*key, service)]


def answers(caller: Caller, times: int) -> list[bool]:
    """Really asked, so counted."""
    codes = []
    for _ in range(times):
        try:
            caller.sts.get_caller_identity()
            codes.append("")
        except caller.sts.exceptions.ClientError as refused:
            codes.append(refused.response["Error"]["Code"])
    assert set(codes) <= {"", "InvalidClientTokenId"}
    return [not code for code in codes]


def test_a_new_key_is_refused_by_each_service_until_it_has_heard(aws: AwsStandIn, caller: NewCaller) -> None:
    """That STS knows a key says nothing about S3."""
    someone = caller()
    aws.lag(new={"iam": LONG, "s3": 2 * LONG})
    key = someone.new_key()
    assert let_in(aws, key) == ["sts"]
    assert failure_of(someone.holding(key).s3.list_buckets) == "InvalidAccessKeyId"
    assert failure_of(someone.holding(key).iam.list_access_keys) == "InvalidClientTokenId"
    aws.advance_clock(LONG + 1)
    assert let_in(aws, key) == ["sts", "iam"]
    aws.advance_clock(LONG)
    assert let_in(aws, key) == ["sts", "iam", "s3"]


def test_lag_is_for_what_happens_from_now_on(aws: AwsStandIn, caller: NewCaller) -> None:
    """Older keys work on, and what root makes by hand is known everywhere."""
    someone = caller()
    aws.lag(new=dict.fromkeys(SERVICES, LONG))
    assert let_in(aws, (someone.key_id, someone.secret)) == list(SERVICES)
    assert let_in(aws, aws.create_key(someone.name)) == list(SERVICES)


@pytest.mark.parametrize("how", ["inactive", "deleted"])
def test_a_dead_key_works_on_until_each_service_has_heard(
    aws: AwsStandIn, caller: NewCaller, how: str
) -> None:
    """A deleted one too, although IAM lists it no more; it is still its user's."""
    someone, admin = caller(), caller()
    aws.lag(dead={"sts": LONG, "s3": 2 * LONG})
    if how == "inactive":
        admin.iam.update_access_key(UserName=someone.name, AccessKeyId=someone.key_id, Status="Inactive")
    else:
        admin.iam.delete_access_key(UserName=someone.name, AccessKeyId=someone.key_id)
    key = (someone.key_id, someone.secret)
    assert let_in(aws, key) == ["sts", "s3"]
    assert someone.sts.get_caller_identity()["Arn"].endswith(f":user/{someone.name}")
    aws.advance_clock(LONG + 1)
    assert let_in(aws, key) == ["s3"]
    aws.advance_clock(LONG)
    assert let_in(aws, key) == []


def test_answers_alternate_before_they_stay(aws: AwsStandIn, caller: NewCaller) -> None:
    """One success proves nothing; asking `works` does not move the alternation on."""
    someone = caller()
    aws.lag(new={"sts": LONG}, flapping=LONG)
    fresh = someone.holding(someone.new_key())
    assert answers(fresh, 3) == [False, False, False]
    aws.advance_clock(LONG + 1)
    assert aws.works(fresh.key_id, fresh.secret)
    assert answers(fresh, 4) == [True, False, True, False]
    assert let_in(aws, (fresh.key_id, fresh.secret)) == list(SERVICES)
    aws.advance_clock(LONG)
    assert answers(fresh, 3) == [True, True, True]


def test_a_dying_key_alternates_too(aws: AwsStandIn, caller: NewCaller) -> None:
    """One refusal does not prove it dead."""
    someone, admin = caller(), caller()
    aws.lag(dead={"sts": LONG}, flapping=LONG)
    admin.iam.update_access_key(UserName=someone.name, AccessKeyId=someone.key_id, Status="Inactive")
    assert answers(someone, 2) == [True, True]
    aws.advance_clock(LONG + 1)
    assert answers(someone, 4) == [False, True, False, True]
    aws.advance_clock(LONG)
    assert answers(someone, 2) == [False, False]


def test_a_key_brought_back_is_late_again(aws: AwsStandIn, caller: NewCaller) -> None:
    """Each turn of its life is heard of after its own lag."""
    someone, admin = caller(), caller()
    aws.lag(new={"sts": LONG})
    for status in ("Inactive", "Active"):
        admin.iam.update_access_key(UserName=someone.name, AccessKeyId=someone.key_id, Status=status)
    assert let_in(aws, (someone.key_id, someone.secret)) == ["iam", "s3"]
    aws.advance_clock(LONG + 1)
    assert let_in(aws, (someone.key_id, someone.secret)) == list(SERVICES)


def test_the_clock_turns_for_dates_that_are_given_out_later(aws: AwsStandIn, caller: NewCaller) -> None:
    """A date that was given out stays what it was."""
    someone, started = caller(), datetime.now(timezone.utc)
    before = aws.keys(someone.name)[0].created
    aws.advance_clock(timedelta(days=90).total_seconds())
    made = someone.iam.create_access_key()["AccessKey"]
    assert timedelta(days=90) <= made["CreateDate"] - started + timedelta(seconds=1) < timedelta(days=91)
    assert aws.keys(someone.name)[0].created == before


def test_a_key_can_be_old_for_a_client_that_lives_now(aws: AwsStandIn, caller: NewCaller) -> None:
    """With its last use and what the trail says of it."""
    someone = caller("iam:*", "cloudtrail:LookupEvents")
    someone.sts.get_caller_identity()
    aws.age_key(someone.key_id, timedelta(days=91).total_seconds())
    old = datetime.now(timezone.utc) - timedelta(days=90)
    assert someone.iam.list_access_keys()["AccessKeyMetadata"][0]["CreateDate"] < old
    assert aws.keys(someone.name)[0].created < old
    admin = caller()
    aws.age_key(someone.key_id, timedelta(days=1).total_seconds())
    used = admin.iam.get_access_key_last_used(AccessKeyId=someone.key_id)["AccessKeyLastUsed"]
    assert timedelta(hours=23) < datetime.now(timezone.utc) - used["LastUsedDate"] < timedelta(hours=25)
    about = [{"AttributeKey": "ResourceName", "AttributeValue": someone.key_id}]
    (made,) = someone.trail().lookup_events(LookupAttributes=about)["Events"]  # type: ignore[arg-type]  # a literal
    assert made["EventTime"] < old
