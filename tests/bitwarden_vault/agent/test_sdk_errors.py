"""What the SDK's exceptions mean; the texts are those that SDK 2.1.0 was seen to raise."""

import pytest

from bitwarden_vault.agent.sdk_errors import Verdict, classify

SAID = "Received error message from server: "
API, IDENTITY = "https://vault.example/api", "https://vault.example/identity"
TEXTS: dict[str, tuple[str, str, str]] = {
    "refused": (f'{SAID}[400 Bad Request] {{"error":"invalid_client"}}', "refused_token", "refused_token"),
    "expired bearer": (f"{SAID}[401 Unauthorized] ", "unauthorized", "unauthorized"),
    "not there": (f'{SAID}[404 Not Found] {{"message":"Resource not found."}}', "not_found", "not_found"),
    "bad request": (f'{SAID}[400 Bad Request] {{"message":"s3cret"}}', "invalid_request", "invalid_request"),
    "too big": (f"{SAID}[413 Payload Too Large] ", "invalid_request", "invalid_request"),
    "server's trouble": (f"{SAID}[500 Internal Server Error] {{}}", "unreachable", "outcome_unknown"),
    "gateway's trouble": (f"{SAID}[502 Bad Gateway] <html>s3cret", "unreachable", "outcome_unknown"),
    "a page that says no": (f"{SAID}[403 Forbidden] <html>", "blocked", "blocked"),
    "a page that says yes": (
        'Received `Unsupported("text/html")` content type response when JSON was expected',
        "blocked",
        "outcome_unknown",
    ),
    "no connection": (f"error sending request for url ({API}/secrets/1)", "unreachable", "outcome_unknown"),
    "cut answer": ("error decoding response body", "unreachable", "outcome_unknown"),
    "half JSON": ("EOF while parsing a value at line 1 column 17", "unreachable", "outcome_unknown"),
    "something new": ("s3cret", "unreachable", "outcome_unknown"),
    "wrong seed": ("The decryption operation failed", "refused_token", "refused_token"),
    "malformed token": ("Doesn't contain a decryption key", "misconfigured", "misconfigured"),
    "plain http": (
        "builder error for url (http://x/identity/connect/token)",
        "misconfigured",
        "misconfigured",
    ),
    "another organisation": ("Missing Key for Id: Organization(x)", "misconfigured", "misconfigured"),
    "no id": ("Invalid command value: UUID parsing failed: x", "invalid_request", "invalid_request"),
    "too long": ("key must not exceed 500 characters in length", "invalid_request", "invalid_request"),
    "blank": ("note must not contain only whitespaces", "invalid_request", "invalid_request"),
}


def _classified(error: BaseException, *, is_write: bool = False, is_list: bool = False) -> Verdict:
    return classify(error, api_url=API, identity_url=IDENTITY, is_write=is_write, is_list=is_list)


@pytest.mark.parametrize(("text", "read", "write"), TEXTS.values(), ids=TEXTS.keys())
def test_a_text_means_one_thing_for_a_read_and_perhaps_another_for_a_write(
    text: str, read: str, write: str
) -> None:
    """A write that may have been received is unknown; the server's own words are not passed on."""
    for is_write, kind in ((False, read), (True, write)):
        verdict = _classified(Exception(text), is_write=is_write)
        assert verdict.kind == kind
        assert "s3cret" not in verdict.message


@pytest.mark.parametrize(("told", "seconds"), [("1s", 1.0), ("1m", 60.0), ("2h", 7200.0), ("soon", None)])
def test_too_many_requests_say_how_long_to_wait(told: str, seconds: float | None) -> None:
    """The SDK hides the header; the text is all there is."""
    slow_down = f'{SAID}[429 Too Many Requests] {{"message":"Slow down! Try again in {told}."}}'
    verdict = _classified(Exception(slow_down), is_write=True)
    assert (verdict.kind, verdict.retry_after) == ("rate_limited", seconds)


def test_a_panic_of_the_core_is_told_apart() -> None:
    """It is a BaseException that `except Exception` does not catch."""
    panic = type("PanicException", (BaseException,), {})
    certificates = _classified(panic('General("No CA certificates were loaded from the system")'))
    assert (certificates.kind, "ca-certificates" in certificates.message) == ("misconfigured", True)
    other = panic("index out of bounds")
    assert _classified(other).kind == "misconfigured"
    assert _classified(other, is_write=True).kind == "outcome_unknown"


def test_no_connection_names_the_side_that_was_asked() -> None:
    """Identity and API may be two hosts."""
    lost = _classified(Exception(f"error sending request for url ({IDENTITY}/connect/token)"))
    assert IDENTITY in lost.message
    assert API not in lost.message


def test_404_to_a_list_is_a_setting_that_is_wrong() -> None:
    """Who may see nothing gets an empty one; of a page it is known already who sent it."""
    for body in ('{"message":"Resource not found."}', ""):
        verdict = _classified(Exception(f"{SAID}[404 Not Found] {body}"), is_list=True)
        assert verdict.kind == "misconfigured"
        assert all(named in verdict.message for named in ("BWS_ORGANIZATION_ID", "BWS_API_URL", API))
    assert _classified(Exception(f"{SAID}[404 Not Found] <html>"), is_list=True).kind == "blocked"
