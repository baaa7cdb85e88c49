"""The AWS stand-in, met by the real boto3: which keys are let in, and what they may do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib import error, request

import psutil
import pytest
from botocore.exceptions import ClientError

from sandbox.aws import AwsStandIn
from sandbox.aws.sdk import Caller, NewCaller, allow, failure_of

pytest_plugins = ["sandbox.aws.fixtures"]

UNKNOWN = "AKIA0000000000000000"


def refusals(caller: Caller) -> list[str]:
    """What each service says to someone who is not let in."""
    ask = (caller.sts.get_caller_identity, caller.iam.list_access_keys, caller.s3.list_buckets)
    return [failure_of(call) for call in (*ask, caller.trail().lookup_events)]


NO_SUCH_KEY = ["InvalidClientTokenId", "InvalidClientTokenId", "InvalidAccessKeyId"]


def test_an_active_key_is_let_in_and_is_who_it_belongs_to(aws: AwsStandIn, caller: NewCaller) -> None:
    """GetCallerIdentity needs no permission."""
    someone = caller("s3:ListAllMyBuckets")
    assert someone.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{aws.account_id}:user/{someone.name}"
    assert someone.s3.list_buckets()["Buckets"] is not None


@pytest.mark.parametrize("how", ["inactive", "deleted", "unknown"])
def test_a_key_that_is_inactive_deleted_or_unknown_is_refused_by_every_service(
    aws: AwsStandIn, caller: NewCaller, how: str
) -> None:
    """All three look the same from outside."""
    someone = caller("*")
    if how == "inactive":
        someone.iam.update_access_key(AccessKeyId=someone.key_id, Status="Inactive")
    elif how == "deleted":
        someone.iam.delete_access_key(UserName=someone.name, AccessKeyId=someone.key_id)
    else:
        someone = someone.holding((UNKNOWN, someone.secret))
    assert refusals(someone) == [*NO_SUCH_KEY, "UnrecognizedClientException"]
    assert not any(aws.works(someone.key_id, someone.secret, service) for service in ("sts", "iam", "s3"))


def test_a_wrong_secret_has_a_word_of_its_own(aws: AwsStandIn, caller: NewCaller) -> None:
    """So that a mistyped secret is told from a dead key."""
    someone = caller("*")
    mistyped = someone.holding((someone.key_id, "x" * 40))
    assert refusals(mistyped) == ["SignatureDoesNotMatch"] * 3 + ["InvalidSignatureException"]
    assert not any(aws.works(mistyped.key_id, mistyped.secret, service) for service in ("sts", "iam", "s3"))


def test_an_inactive_key_can_be_brought_back(aws: AwsStandIn, caller: NewCaller) -> None:
    """A rollback while the old value lives."""
    someone, admin = caller("*"), caller()
    mine = {"UserName": someone.name, "AccessKeyId": someone.key_id}
    admin.iam.update_access_key(**mine, Status="Inactive")
    assert not aws.works(someone.key_id, someone.secret)
    assert [key.status for key in aws.keys(someone.name)] == ["Inactive"]
    admin.iam.update_access_key(**mine, Status="Active")
    assert aws.works(someone.key_id, someone.secret)
    assert [key.status for key in aws.keys(someone.name)] == ["Active"]


def test_there_is_no_third_key(aws: AwsStandIn, caller: NewCaller) -> None:
    """An inactive key takes a place too."""
    someone = caller()
    second = someone.new_key()
    someone.iam.update_access_key(AccessKeyId=second[0], Status="Inactive")
    assert failure_of(someone.iam.create_access_key, UserName=someone.name) == "LimitExceeded"
    assert [key.id for key in aws.keys(someone.name)] == [someone.key_id, second[0]]
    with pytest.raises(ValueError, match="LimitExceeded"):
        aws.create_key(someone.name)


def test_what_is_not_there_is_no_such_entity(caller: NewCaller) -> None:
    """A key that was deleted, one that never was, and one that is another user's."""
    someone, other = caller(), caller()
    second = someone.new_key()
    someone.iam.delete_access_key(AccessKeyId=second[0])
    for key_id in (second[0], UNKNOWN, other.key_id):
        wrong = {"UserName": someone.name, "AccessKeyId": key_id}
        assert failure_of(someone.iam.update_access_key, **wrong, Status="Inactive") == "NoSuchEntity"
        assert failure_of(someone.iam.delete_access_key, **wrong) == "NoSuchEntity"
    assert failure_of(someone.iam.get_access_key_last_used, AccessKeyId=UNKNOWN) == "NoSuchEntity"
    assert failure_of(someone.iam.list_access_keys, UserName="nobody") == "NoSuchEntity"


def test_without_a_user_name_the_caller_is_meant(aws: AwsStandIn, caller: NewCaller) -> None:
    """Also when the key is another user's: that one is out of reach."""
    someone, other = caller(), caller()
    made = someone.iam.create_access_key()["AccessKey"]
    assert made["UserName"] == someone.name
    listed = someone.iam.list_access_keys()["AccessKeyMetadata"]
    assert [key["AccessKeyId"] for key in listed] == [someone.key_id, made["AccessKeyId"]]
    assert failure_of(someone.iam.delete_access_key, AccessKeyId=other.key_id) == "NoSuchEntity"
    update = someone.iam.update_access_key
    assert failure_of(update, AccessKeyId=other.key_id, Status="Inactive") == "NoSuchEntity"
    assert [key.status for key in aws.keys(other.name)] == ["Active"]


CALLS = {
    "iam:CreateAccessKey": ("create_access_key", {}),
    "iam:ListAccessKeys": ("list_access_keys", {}),
    "iam:UpdateAccessKey": ("update_access_key", {"AccessKeyId": UNKNOWN, "Status": "Inactive"}),
    "iam:DeleteAccessKey": ("delete_access_key", {"AccessKeyId": UNKNOWN}),
}


@pytest.mark.parametrize("missing", CALLS)
def test_each_action_must_be_allowed_for_itself(caller: NewCaller, missing: str) -> None:
    """A call on a key that does not exist tells who may: NoSuchEntity is yes, AccessDenied is no."""
    someone = caller(*(action for action in CALLS if action != missing))
    for action, (name, arguments) in CALLS.items():
        call = getattr(someone.iam, name)
        if action == missing:
            assert failure_of(call, UserName=someone.name, **arguments) == "AccessDenied"
        elif UNKNOWN in arguments.values():
            assert failure_of(call, UserName=someone.name, **arguments) == "NoSuchEntity"
        else:
            call(UserName=someone.name, **arguments)


def test_a_permission_comes_and_goes_at_once(aws: AwsStandIn, caller: NewCaller) -> None:
    """The key is let in all along."""
    someone = caller()
    aws.delete_user_policy(someone.name)
    assert failure_of(someone.iam.list_access_keys) == "AccessDenied"
    assert all(aws.works(someone.key_id, someone.secret, service) for service in ("sts", "iam", "s3"))
    aws.put_user_policy(someone.name, allow("iam:ListAccessKeys"))
    assert someone.iam.list_access_keys()["AccessKeyMetadata"]


@pytest.mark.parametrize("resource", ["arn:aws:iam::*:user/{name}", "arn:aws:iam::*:user/${{aws:username}}"])
def test_a_policy_for_one_user_covers_no_other(aws: AwsStandIn, caller: NewCaller, resource: str) -> None:
    """By its name, or as whoever calls; GetAccessKeyLastUsed is about the owner of the key."""
    someone, other = caller(), caller()
    mine = allow("iam:*AccessKey*", on=resource.format(name=someone.name))
    aws.put_user_policy(someone.name, mine)
    assert someone.iam.list_access_keys(UserName=someone.name)["AccessKeyMetadata"]
    assert someone.iam.get_access_key_last_used(AccessKeyId=someone.key_id)["UserName"] == someone.name
    assert failure_of(someone.iam.list_access_keys, UserName=other.name) == "AccessDenied"
    assert failure_of(someone.iam.get_access_key_last_used, AccessKeyId=other.key_id) == "AccessDenied"
    theirs = {"UserName": other.name, "AccessKeyId": other.key_id}
    assert failure_of(someone.iam.delete_access_key, **theirs) == "AccessDenied"


def test_a_deny_wins(aws: AwsStandIn, caller: NewCaller) -> None:
    """Whatever else is allowed."""
    someone = caller()
    deny = {"Effect": "Deny", "Action": "iam:DeleteAccessKey", "Resource": "*"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    aws.put_user_policy(someone.name, {"Version": "2012-10-17", "Statement": [everything, deny]})
    assert failure_of(someone.iam.delete_access_key, AccessKeyId=someone.key_id) == "AccessDenied"
    assert [key.id for key in aws.keys(someone.name)] == [someone.key_id]


def test_a_policy_that_would_be_misread_is_refused(aws: AwsStandIn, caller: NewCaller) -> None:
    """Conditions are not modelled, and a test that relies on one is told."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {}}}
    with pytest.raises(ValueError, match="Condition"):
        aws.put_user_policy(caller().name, {"Version": "2012-10-17", "Statement": [statement]})


def test_a_bucket_lets_in_whom_a_policy_names_it_to(aws: AwsStandIn, caller: NewCaller) -> None:
    """Objects and buckets by their ARNs."""
    aws.create_bucket("exports-of-a-test")
    someone = caller(policy=allow("s3:*", on="arn:aws:s3:::exports-of-a-test*"))
    someone.s3.put_object(Bucket="exports-of-a-test", Key="a/b c", Body=b"x" * 100_000)
    assert someone.s3.head_object(Bucket="exports-of-a-test", Key="a/b c")["ContentLength"] == 100_000
    assert len(someone.s3.get_object(Bucket="exports-of-a-test", Key="a/b c")["Body"].read()) == 100_000
    assert someone.s3.list_objects_v2(Bucket="exports-of-a-test")["KeyCount"] == 1
    someone.s3.head_bucket(Bucket="exports-of-a-test")
    stranger = caller("iam:*")
    assert failure_of(stranger.s3.list_objects_v2, Bucket="exports-of-a-test") == "AccessDenied"
    assert failure_of(stranger.s3.head_bucket, Bucket="exports-of-a-test") == "403"


def test_a_request_without_a_signature_gets_nowhere(aws: AwsStandIn, caller: NewCaller) -> None:
    """Neither to AWS's own calls nor to moto's."""
    someone = caller("*")
    unsigned = someone.s3.generate_presigned_url("list_buckets")
    for url in (unsigned, f"{aws.endpoint_url}/moto-api/data.json"):
        with pytest.raises(error.HTTPError) as refused:
            request.build_opener(request.ProxyHandler({})).open(url)
        with refused.value as answer:
            assert (answer.code, b"MissingAuthenticationToken" in answer.read()) == (403, True)


def test_only_what_succeeded_is_use_and_it_shows_late(aws: AwsStandIn, caller: NewCaller) -> None:
    """Neither a denied call nor a wrong secret moves it; nor does being asked about."""
    someone, admin = caller("s3:ListAllMyBuckets"), caller()

    def last_used() -> tuple[str, bool]:
        said = admin.iam.get_access_key_last_used(AccessKeyId=someone.key_id)["AccessKeyLastUsed"]
        return said["ServiceName"], "LastUsedDate" in said

    assert failure_of(someone.iam.list_access_keys) == "AccessDenied"
    with pytest.raises(ClientError):
        someone.holding((someone.key_id, "x")).sts.get_caller_identity()
    assert aws.works(someone.key_id, someone.secret)
    assert last_used() == ("N/A", False)
    aws.last_used_delay(600)
    someone.s3.list_buckets()
    assert last_used() == ("N/A", False)
    aws.advance_clock(601)
    assert last_used() == ("s3", True)


def test_of_two_who_want_the_last_place_at_once_one_gets_it(aws: AwsStandIn, caller: NewCaller) -> None:
    """One request at a time, however many arrive."""
    someone = caller()
    client = someone.iam

    def ask(_: int) -> str:
        try:
            client.create_access_key(UserName=someone.name)
        except ClientError as refused:
            return str(refused.response["Error"]["Code"])
        return "made"

    with ThreadPoolExecutor(4) as pool:
        said = sorted(pool.map(ask, range(4)))
    assert said == ["LimitExceeded"] * 3 + ["made"]
    assert len(aws.keys(someone.name)) == 2


def test_it_ends_with_its_holder_and_the_next_one_starts_empty(tmp_path: Path) -> None:
    """Nothing of an account is kept."""
    with AwsStandIn(tmp_path) as first:
        key, pid = first.create_user("someone"), first.pid
    assert not psutil.pid_exists(pid)
    with AwsStandIn(tmp_path) as second:
        assert not second.works(*key)
        with pytest.raises(ValueError, match="NoSuchEntity"):
            second.keys("someone")


def test_nothing_secret_is_in_the_servers_log(aws: AwsStandIn, caller: NewCaller) -> None:
    """Neither a secret key, nor the path of the hand on the cables."""
    someone = caller()
    made = someone.new_key()
    log = (aws._directory / "aws.log").read_text()
    assert "POST 200" in log
    assert not [secret for secret in (someone.secret, made[1], aws._control_path) if secret in log]
