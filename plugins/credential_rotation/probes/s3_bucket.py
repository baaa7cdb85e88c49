"""An S3 bucket: whether it lets CURRENT's own key in.

Rules this file keeps:
- Asked with CURRENT's key and no other: without one nothing is asked, since boto3 would look for any other
  key on this host and answer as somebody else.
- Refused is what S3 says of the key. What it says of rights (`AccessDenied`) or of the bucket holds for every
  key of the user, the one before included: it proves nothing for this one, and nothing against it.
- A key that was stored a moment ago may not be known everywhere yet.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from credential_rotation.aws_session import bare_session
from credential_rotation.model import Probe
from credential_rotation.probes.question import Question

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ENGINE = "aws_iam"
YOUNG = timedelta(minutes=1)
"""AWS takes seconds to tell all its services of a key; 3 to 15 were reported."""
_REFUSED = {
    "InvalidAccessKeyId": "does not know the key, or it is inactive",
    "SignatureDoesNotMatch": "knows the key, and this is not its secret",
}
_NOT_TOLD = {
    "AccessDenied": "lets the key in and does not let it list this bucket, so that nothing was proved; allow "
    "its user s3:ListBucket on it",
    "NoSuchBucket": "has no bucket of this name",
}


def ask_bucket(question: Question) -> Probe:
    """Whether S3 lets this key list the bucket (no object is named, none is read)."""
    key_id, secret = question.current.secret.login, question.current.secret.password
    if question.credential.engine != ENGINE:
        return question.unknown("only an access key of AWS can be asked about a bucket; see for yourself")
    if not key_id or not secret:
        return question.unknown("CURRENT names no access key, and no other may be asked instead")
    try:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only AWS needs it
    except ImportError:
        return question.unknown("boto3 is not installed here; engine aws_iam needs it")
    try:
        region = question.credential.target.settings.get("region")
        client = _client(key_id, secret, region)
        client.list_objects_v2(Bucket=question.consumer.name, MaxKeys=0)
    except ClientError as error:
        return _judged(question, error.response.get("Error", {}).get("Code", ""))
    except (BotoCoreError, ValueError) as wrong:  # its text may hold what was sent
        return question.unknown(f"S3 could not be asked ({type(wrong).__name__})")
    return question.works("S3 lets CURRENT's key list it")


def _judged(question: Question, code: str) -> Probe:
    if code in _REFUSED and question.age < YOUNG:
        seconds = max(0, int(question.age.total_seconds()))
        return question.unknown(f"S3 {_REFUSED[code]}, {seconds} s after it was stored: too young to judge")
    if code in _REFUSED:
        return question.refused(f"S3 {_REFUSED[code]}")
    return question.unknown(f"S3 {_NOT_TOLD.get(code, f'answered {code[:40]}')}")


def _client(key_id: str, secret: str, region: str | None) -> S3Client:
    from botocore.config import Config  # noqa: PLC0415 - only AWS needs it

    retries = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
    return bare_session().client(
        "s3", region_name=region, aws_access_key_id=key_id, aws_secret_access_key=secret, config=retries
    )
