"""The cloud's rate limits: fixed windows per verb and concrete path, off unless switched on."""

import json
import ssl
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from sandbox.bitwarden import BitwardenStandIn
from sandbox.bitwarden.sdk import Workplace, failure_of, log_in

pytest_plugins = ["sandbox.bitwarden.fixtures"]

SLOW_DOWN = (
    "Received error message from server: [429 Too Many Requests] "
    '{{"message":"Slow down! Too many requests. Try again in {0}.",'
)


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Workplace]:
    """A server of its own, whose clock the test may turn, with the limits on."""
    with BitwardenStandIn(tmp_path / "bitwarden") as bitwarden:
        project = bitwarden.create_project("p")
        token = bitwarden.create_machine_account("writer", {"p": "write"})
        client = log_in(bitwarden, token)
        bitwarden.rate_limits(True)  # noqa: FBT003  # reads as a switch
        yield Workplace(bitwarden, "writer", token, "p", project, client)


def test_nothing_is_limited_until_it_is_switched_on(workplace: Workplace) -> None:
    """As on a self-hosted server."""
    for _ in range(12):
        log_in(workplace.bitwarden, workplace.token)
        workplace.create()


def test_the_sixth_write_within_a_second_has_to_wait_a_second(limited: Workplace) -> None:
    """And then goes through; what was blocked was not done."""
    for number in range(5):
        limited.create(value=str(number))
    assert failure_of(limited.create).startswith(SLOW_DOWN.format("1s"))
    assert len(limited.stored()) == 5
    time.sleep(1)
    limited.create()


def test_sixty_writes_a_minute_per_path(limited: Workplace) -> None:
    """Another secret is another path, reading is another verb, and the window opens again."""
    made, other = limited.create(), limited.create()
    for second in range(12):
        for number in range(5):
            limited.update(made, f"{second}.{number}")
        limited.bitwarden.advance_clock(1)
    assert failure_of(limited.update, made, "x").startswith(SLOW_DOWN.format("1m"))
    limited.update(other, "free")
    assert limited.value(made) == "11.4"
    limited.bitwarden.advance_clock(48)
    limited.update(made, "again")


def test_two_hundred_reads_a_minute_per_path(limited: Workplace) -> None:
    """Reads have no limit per second."""
    made = limited.create()
    for _ in range(200):
        limited.value(made)
    assert failure_of(limited.value, made).startswith(SLOW_DOWN.format("1m"))
    limited.secrets.list(limited.bitwarden.organization_id)


def test_ten_logins_a_minute(limited: Workplace) -> None:
    """Whoever logs in: the address counts, not the token."""
    for _ in range(2):
        for _ in range(5):
            log_in(limited.bitwarden, limited.token)
        limited.bitwarden.advance_clock(1)
    other = limited.bitwarden.create_machine_account("other", {})
    assert failure_of(log_in, limited.bitwarden, other).startswith(SLOW_DOWN.format("1m"))
    limited.bitwarden.advance_clock(58)
    log_in(limited.bitwarden, other)


def test_the_headers_tell_what_the_sdk_hides(limited: Workplace) -> None:
    """`X-Rate-Limit-*` on what passes, `Retry-After` in seconds on what does not."""
    url = f"{limited.bitwarden.identity_url}/connect/token"
    tls = ssl.create_default_context(cafile=limited.bitwarden.ca_file)

    def ask() -> HTTPResponse:
        answer: HTTPResponse = urlopen(Request(url, data=_form(limited.token)), context=tls)  # noqa: S310  # https
        return answer

    with ask() as first:
        assert first.headers["X-Rate-Limit-Limit"] == "1m"
        assert first.headers["X-Rate-Limit-Remaining"] == "9"
        assert len(first.headers["X-Rate-Limit-Reset"]) == len("2026-08-20T00:00:00.0000000Z")
        assert json.load(first)["expires_in"] == 3600
    for _ in range(4):
        ask().close()
    with pytest.raises(HTTPError) as refused:
        ask()
    with refused.value as answer:
        assert (answer.code, answer.headers["Retry-After"]) == (429, "1")
        assert json.load(answer)["object"] == "error"


def _form(token: str) -> bytes:
    _, client_id, rest = token.split(".")
    secret = rest.split(":")[0]
    who = f"client_id={client_id}&client_secret={secret}"
    return f"scope=api.secrets&{who}&grant_type=client_credentials".encode()
