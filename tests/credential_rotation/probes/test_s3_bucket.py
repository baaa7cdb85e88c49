"""A bucket is asked with CURRENT's key and no other, by the real boto3."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credential_rotation.model import Answer, Credential, Secret, Target
from credential_rotation.probes.question import Question
from credential_rotation.probes.s3_bucket import ask_bucket
from sandbox.aws import AwsStandIn
from sandbox.aws.sdk import Caller, NewCaller
from scenes.consumers import question
from simulators.scene import ETL

pytest_plugins = ["sandbox.aws.fixtures"]

BUCKET = "probed-exports"
UPLOADER: Credential = replace(ETL, engine="aws_iam", target=Target("", {"region": AwsStandIn.region}))


@pytest.fixture(scope="module")
def bucket(shared_aws: AwsStandIn) -> str:
    shared_aws.create_bucket(BUCKET)
    return BUCKET


@pytest.fixture(autouse=True)
def _somebody_else_on_this_host(aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch, bucket: str) -> None:
    """The default chain would find a key that may do everything."""
    assert bucket
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    key_id, secret = _almighty(aws)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)


def _almighty(aws: AwsStandIn) -> tuple[str, str]:
    someone = NewCaller(aws)("*")
    return someone.key_id, someone.secret


def about(who: Caller, name: str = BUCKET, *, age: timedelta = timedelta(hours=1)) -> Question:
    secret = Secret("exports-uploader", who.secret, login=who.key_id)
    return question("s3_bucket", name, secret=secret, credential=UPLOADER, age=age)


def keys_that_asked(aws: AwsStandIn) -> set[str]:
    return {line.key_id or "" for line in aws.requests()}


def test_a_key_that_may_list_the_bucket_works(aws: AwsStandIn, caller: NewCaller) -> None:
    """Signed with that key, and no other was used."""
    someone = caller("s3:ListBucket")
    aws.clear_requests()
    probe = ask_bucket(about(someone))
    assert (probe.answer, probe.where) == (Answer.WORKS, f"s3 bucket {BUCKET}")
    assert keys_that_asked(aws) == {someone.key_id}


@pytest.mark.parametrize("how", ["inactive", "deleted", "mistyped"])
def test_b3_a_dead_key_is_refused_although_this_host_has_a_better_one(
    aws: AwsStandIn, caller: NewCaller, how: str
) -> None:
    """Nobody else's login stands in for the one that is to be proved."""
    someone = caller("*")
    if how == "inactive":
        someone.iam.update_access_key(AccessKeyId=someone.key_id, Status="Inactive")
    elif how == "deleted":
        someone.iam.delete_access_key(UserName=someone.name, AccessKeyId=someone.key_id)
    else:
        someone = someone.holding((someone.key_id, "x" * 40))
    aws.clear_requests()
    probe = ask_bucket(about(someone))
    assert probe.answer is Answer.REFUSED
    assert someone.key_id not in probe.why
    assert someone.secret not in probe.why
    assert keys_that_asked(aws) == {someone.key_id}


@pytest.mark.parametrize("login", ["", "AKIA0000000000000000"])
def test_b3_without_a_whole_key_nobody_is_asked(aws: AwsStandIn, login: str) -> None:
    """boto3 would look for a key of its own."""
    aws.clear_requests()
    secret = Secret("exports-uploader", "" if login else "secret", login=login)
    probe = ask_bucket(question("s3_bucket", BUCKET, secret=secret, credential=UPLOADER))
    assert probe.answer is Answer.UNKNOWN
    assert "no other may be asked instead" in probe.why
    assert aws.requests() == []


def test_a_key_without_the_right_to_list_is_let_in_and_nothing_more_is_known(caller: NewCaller) -> None:
    """Rights are the user's, old key and new key alike: they speak neither for nor against the new one."""
    probe = ask_bucket(about(caller("s3:PutObject")))
    assert probe.answer is Answer.UNKNOWN
    assert "lets the key in" in probe.why
    assert "s3:ListBucket" in probe.why


def test_a_bucket_that_is_not_there_says_nothing_about_the_key(caller: NewCaller) -> None:
    """The entry is to be mended."""
    probe = ask_bucket(about(caller("*"), "no-such-bucket"))
    assert (probe.answer, probe.why) == (Answer.UNKNOWN, "S3 has no bucket of this name")


def test_a_key_too_young_to_judge_is_unknown_and_later_refused(aws: AwsStandIn, caller: NewCaller) -> None:
    """S3 may hear of a key later than IAM: lag and death look the same."""
    someone = caller("*")
    aws.lag(new={"s3": 60})
    key = someone.iam.create_access_key(UserName=someone.name)["AccessKey"]
    young = someone.holding((key["AccessKeyId"], key["SecretAccessKey"]))
    probe = ask_bucket(about(young, age=timedelta(seconds=5)))
    assert probe.answer is Answer.UNKNOWN
    assert "5 s after it was stored: too young to judge" in probe.why
    assert ask_bucket(about(young)).answer is Answer.REFUSED
    aws.advance_clock(61)
    assert ask_bucket(about(young)).answer is Answer.WORKS


def test_an_s3_that_is_out_of_reach_is_unknown(monkeypatch: pytest.MonkeyPatch, caller: NewCaller) -> None:
    """Nothing listens there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    probe = ask_bucket(about(caller("*")))
    assert (probe.answer, probe.why) == (
        Answer.UNKNOWN,
        "S3 could not be asked (EndpointConnectionError)",
    )


def test_a_name_that_no_bucket_can_have_is_unknown(caller: NewCaller) -> None:
    """boto3 refuses to ask."""
    probe = ask_bucket(about(caller("*"), "no bucket/"))
    assert (probe.answer, probe.why) == (Answer.UNKNOWN, "S3 could not be asked (ParamValidationError)")


def test_a_password_cannot_ask_for_a_bucket() -> None:
    """The entry's engine is not AWS."""
    probe = ask_bucket(question("s3_bucket", BUCKET))
    assert probe.answer is Answer.UNKNOWN
    assert "only an access key of AWS" in probe.why
