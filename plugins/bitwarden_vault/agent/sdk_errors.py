"""What the SDK's exceptions mean. It raises bare `Exception(str)`: here, and only here, text is matched.

Rules this file keeps:
- A write whose request may have been received is `outcome_unknown`, whatever the text looks like.
- The server's own text is not passed on: it may echo what was sent.
- 401 is `unauthorized`, which only the agent sees: it may be a throttled renewal, so it logs in again.
- 404 to a list is no "not found": an account that may see nothing gets an empty list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bitwarden_vault.errors import NO_PERMISSION, UNAUTHORIZED

_STATUS = re.compile(r"\[(\d{3}) ")
_TOLD = re.compile(r"[Tt]ry again in (\d+)\s*(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LIMIT = re.compile(
    r"(key|name|value|note) must not "
    r"(?:exceed (\d+) characters in length|be empty|contain only whitespaces?)",
)
_TOKEN_TEXT = (
    "Doesn't contain a decryption key",
    "Has the wrong number of parts",
    "Is the wrong version",
    "Has an invalid identifier",
    "Invalid base64 length",
    "Error decoding base64",
)
_NOT_SENT = 400, 401, 403, 404, 405, 409, 413, 429
"""Statuses of a server that looked at the request and did not do it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An SDK failure in the terms of `errors.py`."""

    kind: str
    message: str
    retry_after: float | None = None


def is_refused_login(error: BaseException) -> bool:
    """The token is refused as such: not its second part, and not the way to Bitwarden."""
    return "invalid_client" in str(error)


def classify(
    error: BaseException, *, api_url: str, identity_url: str, is_write: bool, is_list: bool = False
) -> Verdict:
    """What this exception of an SDK call means."""
    text = str(error)
    if type(error).__name__ == "PanicException":
        return _panic(text, is_write=is_write)
    status = _STATUS.search(text)
    if status is not None:
        verdict = _by_status(int(status[1]), text, api_url, identity_url)
        if is_list and verdict.kind == "not_found":
            verdict = Verdict("misconfigured", _no_list(api_url))
        sent = int(status[1]) not in _NOT_SENT
    else:
        verdict, sent = _by_text(text, api_url, identity_url)
    if is_write and sent:
        return Verdict("outcome_unknown", f"the write was sent, but {verdict.message}")
    return verdict


def _by_status(  # noqa: PLR0911 - a table of statuses, one line each
    status: int, text: str, api_url: str, identity_url: str
) -> Verdict:
    if "invalid_client" in text:
        return Verdict("refused_token", _refused(api_url, identity_url))
    if status == 429:  # noqa: PLR2004 - HTTP's own number
        told = _TOLD.search(text)
        seconds = float(int(told[1]) * _SECONDS[told[2]]) if told else None
        return Verdict("rate_limited", "Bitwarden answers 'too many requests'", seconds)
    if "<html" in text.lower() and status < 500:  # noqa: PLR2004 - HTTP's own number
        return Verdict("blocked", _blocked(api_url, identity_url))
    if status == 401:  # noqa: PLR2004 - HTTP's own number
        return Verdict(UNAUTHORIZED, "Bitwarden answers 401 although a login succeeded")
    if status == 404:  # noqa: PLR2004 - HTTP's own number
        return Verdict("not_found", NO_PERMISSION)
    if status >= 500:  # noqa: PLR2004 - HTTP's own number
        return Verdict("unreachable", f"Bitwarden answers {status} ({api_url})")
    if status in (400, 413):
        return Verdict(
            "invalid_request", f"Bitwarden refuses the request ({status}): a field is too long or wrong"
        )
    return Verdict("unreachable", f"unexpected answer {status} from {api_url}")


def _by_text(  # noqa: PLR0911 - a table of texts, one line each
    text: str, api_url: str, identity_url: str
) -> tuple[Verdict, bool]:
    """The meaning, and whether a request may have been received."""
    limit = _LIMIT.search(text)
    if limit is not None:
        return Verdict("invalid_request", limit[0]), False
    if "UUID parsing failed" in text:
        return Verdict("invalid_request", "an id is not a UUID"), False
    if "Missing Key for Id" in text:
        return Verdict(
            "misconfigured", "BWS_ORGANIZATION_ID is not the organisation of this access token"
        ), False
    if any(known in text for known in _TOKEN_TEXT):
        return Verdict("misconfigured", "the access token is malformed"), False
    if "decryption operation failed" in text:
        return Verdict(
            "refused_token", "the part of the access token after ':' does not belong to it: copy it again"
        ), False
    if text.startswith("builder error"):
        return Verdict("misconfigured", f"the SDK cannot use these URLs: {api_url}, {identity_url}"), False
    if "content type response when JSON was expected" in text:
        return Verdict("blocked", _blocked(api_url, identity_url)), True
    if "error sending request" in text:
        return Verdict("unreachable", _no_connection(text, api_url, identity_url)), True
    return Verdict("unreachable", f"the answer of {api_url} was cut off or is not Bitwarden's"), True


def _panic(text: str, *, is_write: bool) -> Verdict:
    if "CA certificates" in text:
        return Verdict(
            "misconfigured",
            "no trusted certificates on this system: install ca-certificates, or set SSL_CERT_FILE",
        )
    if is_write:
        return Verdict("outcome_unknown", "the SDK gave up (panic) in a write that it may have sent")
    return Verdict("misconfigured", "the SDK gave up (panic): is its version one that this package knows?")


def _refused(api_url: str, identity_url: str) -> str:
    return (
        "Bitwarden refuses the access token (invalid_client). Check in this order: "
        "1. it has expired or was revoked (web vault: Machine accounts > Access tokens); "
        f"2. wrong region or server: in use are {identity_url} and {api_url}; "
        "3. its secret part is wrong: copy the token again"
    )


def _no_list(api_url: str) -> str:
    return (
        "404 came instead of a list. Check in this order: 1. BWS_ORGANIZATION_ID is the organisation of this "
        f"access token; 2. {api_url} is Bitwarden's API (BWS_SERVER_URL, or BWS_API_URL and "
        "BWS_IDENTITY_URL; self-hosted addresses end in /api and /identity)"
    )


def _blocked(api_url: str, identity_url: str) -> str:
    return (
        f"a web page came instead of JSON: a proxy, a login page or a bot check stands before {api_url} or "
        f"{identity_url}; self-hosted addresses end in /api and /identity"
    )


def _no_connection(text: str, api_url: str, identity_url: str) -> str:
    url = identity_url if "/connect/token" in text else api_url
    return (
        f"no connection to {url}: refused, reset, name not found, or its certificate is not trusted "
        "(SSL_CERT_FILE replaces the system's store)"
    )
