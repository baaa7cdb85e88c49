"""Everything that is asked of AWS, and the one file that knows boto3 and its errors.

Rules this file keeps:
- Keys are given, never looked for: no default chain, no config or credentials file, no instance metadata. Of
  the environment only endpoints (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_IAM`, …), proxies and CA bundle count.
- What changes something is one request: boto3's own retries would make a second key of a lost answer.
- A code decides, and the clock by the answer's own date; no text of AWS's is passed on.
- At level DEBUG botocore logs the bodies of answers, and a new key's secret is in one: it is kept from that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from credential_rotation.aws_session import bare_session
from credential_rotation.model import Key, Secret

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

CONNECT_SECONDS, READ_SECONDS = 5, 10
"""Together the deadline of one request."""
PATIENT = 3
"""Requests for what may be asked again."""
MORE_PATIENT = 6
"""Requests to CloudTrail, which answers two a second to the whole account and region."""
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
WRONG_SECRET = ("SignatureDoesNotMatch", "InvalidSignatureException")
STRANGER = ("InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", *WRONG_SECRET)
"""AWS does not take the key. A moment after a key was made, it says so of that one too."""
_THROTTLED = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    "LimitExceededException",
)
_CLOCK = ("RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture")
_TOLERATED = timedelta(minutes=4)
"""AWS refuses signatures from five minutes away; it then says no more than that they do not match."""


class Refused(Exception):
    """AWS answered no; for certain nothing was done."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NoAnswer(Exception):
    """Nothing can be concluded; `may_have_happened` where the request may have been carried out."""

    def __init__(self, why: str, *, may_have_happened: bool) -> None:
        super().__init__(why)
        self.why = why
        self.may_have_happened = may_have_happened


@dataclass(frozen=True, slots=True)
class AwsCalls:
    """AWS as the holder of one key asks it. Every method raises Refused and NoAnswer."""

    key: Secret
    region: str
    _patient: dict[tuple[str, int, str], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Clients that ask again by themselves, kept with their connections. What is one request gets a client of
    its own: on a connection that AWS has closed meanwhile nobody could tell whether it happened."""

    # --- questions -------------------------------------------------------------------------------------

    def whoami(self) -> str:
        """The ARN that this key stands for; any key that works may ask."""
        with _in_our_words():
            return str(self._client("sts").get_caller_identity()["Arn"])

    def keys(self, user: str, *, requests: int = PATIENT) -> tuple[Key, ...]:
        """The user's keys, oldest first, without their last use."""
        with _in_our_words():
            pages = self._client("iam", requests=requests).get_paginator("list_access_keys")
            found = [one for page in pages.paginate(UserName=user) for one in page["AccessKeyMetadata"]]
        keys = (Key(one["AccessKeyId"], one["Status"] == "Active", one["CreateDate"]) for one in found)
        return tuple(sorted(keys, key=lambda key: (key.created, key.login)))

    def users(self) -> tuple[str, ...]:
        """The names of all users of the account."""
        with _in_our_words():
            pages = self._client("iam", requests=PATIENT).get_paginator("list_users")
            return tuple(sorted(str(one["UserName"]) for page in pages.paginate() for one in page["Users"]))

    def last_use(self, key_id: str) -> tuple[datetime, str] | None:
        """When and by which service a key was last used; None where it never was."""
        used = self._last_used(key_id)
        return (used["LastUsedDate"], str(used["ServiceName"])) if "LastUsedDate" in used else None

    def last_use_in_words(self, key_id: str) -> str:
        """The same for people, and in which region."""
        used = self._last_used(key_id)
        if "LastUsedDate" not in used:
            return "never"
        return f"{used['LastUsedDate']:%Y-%m-%d %H:%M} UTC by {used['ServiceName']} in {used['Region']}"

    def buckets(self) -> None:
        """Ask S3 by GET: a HEAD that is refused does not say why."""
        with _in_our_words():
            self._client("s3").list_buckets()

    def events(self, attribute: str, value: str, *, since: datetime, region: str) -> Iterator[str]:
        """CloudTrail's records (JSON) of what happened since then, newest first."""
        with _in_our_words():
            pages = self._client("cloudtrail", requests=MORE_PATIENT, region=region).get_paginator(
                "lookup_events"
            )
            wanted: Any = [{"AttributeKey": attribute, "AttributeValue": value}]
            for page in pages.paginate(LookupAttributes=wanted, StartTime=since):
                for event in page["Events"]:
                    yield event["CloudTrailEvent"]

    # --- changes, one request each ---------------------------------------------------------------------

    def create_key(self, user: str, *, agent: str) -> Secret:
        """A new key; the request carries `agent`, which CloudTrail keeps."""
        with _in_our_words():
            made = self._client("iam", agent=agent).create_access_key(UserName=user)["AccessKey"]
        return Secret(made["UserName"], made["SecretAccessKey"], made["AccessKeyId"])

    def set_status(self, user: str, key_id: str, *, active: bool) -> None:
        """An inactive key is refused; it can come back."""
        status = "Active" if active else "Inactive"
        with _in_our_words():
            self._client("iam").update_access_key(UserName=user, AccessKeyId=key_id, Status=status)

    def delete_key(self, user: str, key_id: str) -> None:
        """It never comes back."""
        with _in_our_words():
            self._client("iam").delete_access_key(UserName=user, AccessKeyId=key_id)

    def _last_used(self, key_id: str) -> Mapping[str, Any]:
        with _in_our_words():
            asked = self._client("iam", requests=PATIENT).get_access_key_last_used(AccessKeyId=key_id)
        used: Mapping[str, Any] = asked["AccessKeyLastUsed"]
        return used

    def _client(self, service: str, *, requests: int = 1, agent: str = "", region: str = "") -> Any:  # noqa: ANN401 - a client of whichever service
        if requests == 1:
            return self._made(service, requests=requests, agent=agent, region=region)
        place = service, requests, region
        if place not in self._patient:
            self._patient[place] = self._made(service, requests=requests, agent=agent, region=region)
        return self._patient[place]

    def _made(self, service: str, *, requests: int, agent: str, region: str) -> Any:  # noqa: ANN401 - as above
        from botocore.config import Config  # noqa: PLC0415 - loaded when AWS is asked, not when a DAG is parsed

        config = Config(
            retries={"total_max_attempts": requests, "mode": "standard"},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            user_agent_extra=agent or None,
        )
        make: Any = bare_session().client
        return make(
            service,
            region_name=region or self.region,
            aws_access_key_id=self.key.login,
            aws_secret_access_key=self.key.password,
            config=config,
        )


@contextmanager
def _in_our_words() -> Iterator[None]:
    from botocore import exceptions as theirs  # noqa: PLC0415 - as above

    try:
        yield
    except theirs.ClientError as error:
        raise _judged(error) from None
    except theirs.ParamValidationError:
        raise Refused("ValidationError") from None
    except (
        theirs.EndpointConnectionError,
        theirs.ConnectTimeoutError,
        theirs.ProxyConnectionError,
        theirs.InvalidRegionError,
    ) as error:
        raise NoAnswer(f"not reached ({type(error).__name__})", may_have_happened=False) from None
    except theirs.BotoCoreError as error:
        raise NoAnswer(f"no answer ({type(error).__name__})", may_have_happened=True) from None


def _judged(error: ClientError) -> Refused | NoAnswer:
    code = error.response.get("Error", {}).get("Code", "")
    about: Any = error.response.get("ResponseMetadata", {})
    astray = _astray(about.get("HTTPHeaders", {}).get("date", ""))
    if code in _THROTTLED:
        return NoAnswer(f"too many requests ({code})", may_have_happened=False)
    if code in _CLOCK or (code in WRONG_SECRET and astray):
        off = f"{astray.total_seconds() / 60:+.0f} minutes " if astray else ""
        return NoAnswer(f"this host's clock is {off}off ({code})", may_have_happened=False)
    if about.get("HTTPStatusCode", 500) >= 500:  # noqa: PLR2004 - HTTP's own number
        return NoAnswer(f"AWS is in trouble itself ({code})", may_have_happened=True)
    return Refused(code)


def _astray(date: str) -> timedelta | None:
    """How far our clock is ahead of AWS's, where that is too far."""
    try:
        ahead = now() - parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return ahead if abs(ahead) > _TOLERATED else None


def now() -> datetime:
    """This host's time."""
    return datetime.now(timezone.utc)
