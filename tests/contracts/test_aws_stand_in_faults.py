"""What goes wrong between boto3 and the AWS stand-in, and what has happened in the account afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError

from sandbox.aws import AwsStandIn, Fault
from sandbox.aws.faults import Effect
from sandbox.aws.sdk import NewCaller, failure_of

pytest_plugins = ["sandbox.aws.fixtures"]

CREATE = "iam:CreateAccessKey"


def until(true: Callable[[], bool], what: str, within: float = 5.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("does", "raised", "keys"),
    [
        ("drop_before", ConnectionClosedError, 1),
        ("drop_after", ConnectionClosedError, 2),
        ("hang", ReadTimeoutError, 1),
        ("hang_after", ReadTimeoutError, 2),
    ],
)
def test_a_lost_answer_reads_the_same_before_and_after_the_commit(
    aws: AwsStandIn, caller: NewCaller, does: Effect, raised: type[HTTPClientError], keys: int
) -> None:
    """One request, the same words; only the account knows whether there is a key whose secret nobody has."""
    someone = caller()
    aws.fault(Fault(does, CREATE, key_id=someone.key_id))
    aws.clear_requests()
    with pytest.raises(raised):
        someone.iam.create_access_key(UserName=someone.name)
    assert len(aws.keys(someone.name)) == keys
    assert [(line.action, line.status, line.fault) for line in aws.requests()] == [(CREATE, None, does)]


def test_a_late_request_lands_after_the_client_was_told_of_an_error(
    aws: AwsStandIn, caller: NewCaller
) -> None:
    """Even when the key that signed it is dead by then."""
    someone, admin = caller(), caller()
    aws.fault(Fault("commit_late", CREATE, seconds=3.0, times=1))
    with pytest.raises(ConnectionClosedError):
        someone.iam.create_access_key(UserName=someone.name)
    admin.iam.delete_access_key(UserName=someone.name, AccessKeyId=someone.key_id)
    assert aws.keys(someone.name) == []
    until(lambda: len(aws.keys(someone.name)) == 1, "the key appears")


def test_a_service_error_has_no_effect(aws: AwsStandIn, caller: NewCaller) -> None:
    """Any status and code, for as many requests as asked, after those that were to pass."""
    someone = caller()
    aws.fault(Fault("answer", "iam:*", status=503, code="ServiceUnavailable", skip=1, times=1))
    someone.iam.list_access_keys()
    with pytest.raises(ClientError) as failed:
        someone.iam.create_access_key()
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert failed.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert len(aws.keys(someone.name)) == 1
    someone.iam.create_access_key()


def test_throttling_is_in_the_words_of_each_service(aws: AwsStandIn, caller: NewCaller) -> None:
    """For so many requests, or until it is over; boto3 here does not try again by itself."""
    someone = caller("*")
    for action in ("iam:ListAccessKeys", "sts:*", "s3:*", "cloudtrail:*"):
        aws.throttle(action, times=1)
    asked = (
        someone.iam.list_access_keys,
        someone.sts.get_caller_identity,
        someone.s3.list_buckets,
        someone.trail().lookup_events,
    )
    assert [failure_of(call) for call in asked] == [
        "Throttling",
        "Throttling",
        "SlowDown",
        "ThrottlingException",
    ]
    for call in asked:
        call()
    aws.throttle(CREATE)
    assert {failure_of(someone.iam.create_access_key) for _ in range(3)} == {"Throttling"}
    aws.clear_faults()
    someone.iam.create_access_key()


def test_a_slow_service_is_slow_and_right(aws: AwsStandIn, caller: NewCaller) -> None:
    """The call takes the time and succeeds; others do not wait for it."""
    someone = caller()
    aws.fault(Fault("delay", CREATE, seconds=0.3))
    began = time.monotonic()
    someone.iam.create_access_key()
    assert 0.3 <= time.monotonic() - began < 2


def test_a_fault_is_for_the_key_and_the_action_that_it_names(aws: AwsStandIn, caller: NewCaller) -> None:
    """Everything else goes on."""
    someone, other = caller(), caller()
    aws.fault(Fault("answer", "iam:Delete*", key_id=someone.key_id, code="Broken"))
    assert failure_of(someone.iam.delete_access_key, AccessKeyId=someone.key_id) == "Broken"
    other.iam.delete_access_key(AccessKeyId=other.key_id)
    someone.iam.list_access_keys()


def test_every_request_is_in_the_log_with_who_what_and_how_it_ended(
    aws: AwsStandIn, caller: NewCaller
) -> None:
    """But not what root did, and not what `works` asked."""
    someone = caller("iam:ListAccessKeys", user_agent="attempt/abc")
    aws.clear_requests()
    someone.iam.list_access_keys()
    failure_of(someone.iam.create_access_key)
    failure_of(someone.s3.head_bucket, Bucket="none")
    assert aws.works(someone.key_id, someone.secret)
    aws.create_key(someone.name)
    lines = aws.requests()
    assert [(line.action, line.status, line.error) for line in lines] == [
        ("iam:ListAccessKeys", 200, None),
        (CREATE, 403, "AccessDenied"),
        ("s3:HeadBucket", 403, None),
    ]
    assert {line.key_id for line in lines} == {someone.key_id}
    assert all("attempt/abc" in line.user_agent and line.ms is not None for line in lines)
