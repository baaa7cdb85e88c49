"""Tokens, bearers and keys: what logs in, for how long, and that the server cannot read what it holds."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.bitwarden import BitwardenStandIn, Fault
from sandbox.bitwarden.sdk import Workplace, build_client, failure_of, log_in

pytest_plugins = ["sandbox.bitwarden.fixtures"]

INVALID_CLIENT = 'Received error message from server: [400 Bad Request] {"error":"invalid_client"}'
UNAUTHORIZED = "Received error message from server: [401 Unauthorized] "
TOKEN_PATH = "/identity/connect/token"
OTHER_SEED = base64.b64encode(bytes(16)).decode()
OTHER_ID = "00000000-0000-4000-8000-000000000000"


def _renewals(bitwarden: BitwardenStandIn) -> list[int | None]:
    return [line.status for line in bitwarden.requests() if line.path == TOKEN_PATH]


WRONG_TOKENS: dict[str, tuple[Callable[[str], str], str]] = {
    "no seed": (lambda token: token.split(":")[0], "Doesn't contain a decryption key"),
    "a part is missing": (lambda token: token.replace("0.", "", 1), "Has the wrong number of parts"),
    "another version": (lambda token: "1" + token[1:], "Is the wrong version"),
    "the id is none": (lambda token: "0.me." + token.split(".", 2)[2], "Has an invalid identifier"),
    "a short seed": (
        lambda token: token.split(":")[0] + ":YWJj",
        "Invalid base64 length: expected 16, got 3",
    ),
    "a seed that is no base64": (
        lambda token: token.split(":")[0] + ":!!!",
        "Error decoding base64: Data isn't base64 encoded",
    ),
    "another token's seed": (
        lambda token: f"{token.split(':')[0]}:{OTHER_SEED}",
        "The decryption operation failed",
    ),
    "a wrong secret": (lambda token: token[:39] + "x" * 30 + token[69:], INVALID_CLIENT),
    "an unknown id": (lambda token: f"0.{OTHER_ID}.{token.split('.', 2)[2]}", INVALID_CLIENT),
}


@pytest.mark.parametrize(("spoil", "said"), WRONG_TOKENS.values(), ids=WRONG_TOKENS.keys())
def test_a_spoilt_token_is_refused_in_these_words(
    workplace: Workplace, spoil: Callable[[str], str], said: str
) -> None:
    """By the SDK where it can see it, by the server else."""
    client = build_client(workplace.bitwarden)
    assert failure_of(client.auth().login_access_token, spoil(workplace.token)) == said


def test_plain_http_and_an_unknown_authority_never_reach_the_server(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The SDK refuses http by itself, and TLS that it cannot verify looks like a network error."""
    bitwarden = workplace.bitwarden
    bitwarden.clear_requests()
    url = bitwarden.identity_url
    with monkeypatch.context() as patch:
        patch.setattr(BitwardenStandIn, "identity_url", url.replace("https:", "http:"))
        said = failure_of(log_in, bitwarden, workplace.token)
    assert said == f"builder error for url ({url.replace('https:', 'http:')}/connect/token)"
    with BitwardenStandIn(tmp_path / "other") as other, monkeypatch.context() as patch:
        patch.setattr(bitwarden, "ca_file", other.ca_file)
        said = failure_of(log_in, bitwarden, workplace.token)
    assert said == f"error sending request for url ({url}/connect/token)"
    assert bitwarden.requests() == []


def test_a_slash_too_many_is_not_found(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK joins URLs by text, and `//` is another path."""
    monkeypatch.setattr(BitwardenStandIn, "identity_url", workplace.bitwarden.identity_url + "/")
    said = failure_of(log_in, workplace.bitwarden, workplace.token)
    assert said.startswith("Received error message from server: [404 Not Found]")


def test_calls_before_login_are_unauthorized_or_have_no_key(workplace: Workplace) -> None:
    """Reading asks the server, which says 401 with an empty body; writing lacks the key."""
    made, client = workplace.create(), build_client(workplace.bitwarden)
    assert failure_of(client.secrets().get, made) == UNAUTHORIZED
    organization = workplace.bitwarden.organization_id
    said = failure_of(client.secrets().update, organization, made, "k", "v", "", [workplace.project])
    assert said.startswith("Missing Key for Id: Organization(OrganizationId(")


def test_a_revoked_token_logs_in_no_more_but_its_bearer_lives_on(workplace: Workplace) -> None:
    """A second token of the same account is not touched."""
    made = workplace.create(value="still readable")
    second = workplace.bitwarden.create_token(workplace.account)
    workplace.bitwarden.revoke_token(workplace.token)
    assert failure_of(log_in, workplace.bitwarden, workplace.token) == INVALID_CLIENT
    assert workplace.value(made) == "still readable"
    assert log_in(workplace.bitwarden, second).secrets().get(made).data.value == "still readable"


def test_a_bearer_ends_300_seconds_after_its_time_and_a_new_login_mends_it(tmp_path: Path) -> None:
    """The SDK, whose clock did not move, does not renew on 401: every call fails until it logs in again."""
    with BitwardenStandIn(tmp_path / "bitwarden") as bitwarden:
        bitwarden.create_project("p")
        made = bitwarden.put_secret(project="p", key="k", value="v")
        token = bitwarden.create_machine_account("reader", {"p": "read"})
        client = log_in(bitwarden, token)
        bitwarden.advance_clock(3600 + 290)
        assert client.secrets().get(made).data.value == "v"
        bitwarden.advance_clock(20)
        bitwarden.clear_requests()
        assert [failure_of(client.secrets().get, made) for _ in range(2)] == [UNAUTHORIZED] * 2
        assert _renewals(bitwarden) == []
        client.auth().login_access_token(token)
        assert client.secrets().get(made).data.value == "v"


def test_a_short_bearer_is_renewed_before_every_call(workplace: Workplace) -> None:
    """The SDK renews inside the call when less than 300 s are left."""
    bitwarden, made = workplace.bitwarden, workplace.create()
    bitwarden.bearer_lifetime(60)
    client = log_in(bitwarden, workplace.token)
    bitwarden.clear_requests()
    for _ in range(3):
        client.secrets().get(made)
    assert _renewals(bitwarden) == [200, 200, 200]


RENEWALS_THAT_FAIL = {
    "throttled": Fault("answer", verb="POST", path=TOKEN_PATH, status=429),
    "server error": Fault("answer", verb="POST", path=TOKEN_PATH, status=503),
    "connection lost": Fault("drop", verb="POST", path=TOKEN_PATH),
}


@pytest.mark.parametrize("fault", RENEWALS_THAT_FAIL.values(), ids=RENEWALS_THAT_FAIL.keys())
def test_a_failed_renewal_shows_as_401_though_the_token_is_fine(workplace: Workplace, fault: Fault) -> None:
    """And it passes by itself."""
    bitwarden, made = workplace.bitwarden, workplace.create(value="v")
    bitwarden.bearer_lifetime(60)
    client = log_in(bitwarden, workplace.token)
    bitwarden.fault(fault)
    assert failure_of(client.secrets().get, made) == UNAUTHORIZED
    bitwarden.clear_faults()
    assert client.secrets().get(made).data.value == "v"


def test_a_state_file_saves_the_login_even_of_a_revoked_token(workplace: Workplace, tmp_path: Path) -> None:
    """The second login makes no request at all."""
    bitwarden, state = workplace.bitwarden, tmp_path / "state"
    made = workplace.create(value="v")
    log_in(bitwarden, workplace.token, state)
    bitwarden.revoke_token(workplace.token)
    bitwarden.clear_requests()
    assert log_in(bitwarden, workplace.token, state).secrets().get(made).data.value == "v"
    assert _renewals(bitwarden) == []


def test_the_log_names_account_and_token_and_no_secret(workplace: Workplace) -> None:
    """Login and call are told apart by path; values, keys and client secrets are not in it."""
    workplace.bitwarden.clear_requests()
    log_in(workplace.bitwarden, workplace.token).secrets().list(workplace.bitwarden.organization_id)
    login, listing = workplace.bitwarden.requests()
    token_id = workplace.token.split(".")[1]
    assert [(line.verb, line.account, line.token_id, line.status) for line in (login, listing)] == [
        ("POST", workplace.account, token_id, 200),
        ("GET", workplace.account, token_id, 200),
    ]
    assert workplace.token.split(".")[2][:30] not in repr((login, listing))


def test_the_server_holds_ciphertext_only(workplace: Workplace) -> None:
    """Neither its rows nor its memory have a key, value, note or project name, nor what opens them."""
    bitwarden = workplace.bitwarden
    marks = ["Plain-key-83121", "Plain-value-83122", "Plain-note-83123"]
    made = workplace.create(*marks)
    assert workplace.value(made) == marks[1]
    seed = base64.b64decode(workplace.token.split(":")[1])
    organization_key = bitwarden._key.raw
    wanted = [mark.encode() for mark in (*marks, workplace.project_name)]
    wanted += [seed, base64.b64encode(seed), organization_key, base64.b64encode(organization_key)]
    memory = _memory_of(bitwarden.pid)
    assert made.encode() in memory  # the search finds what is there
    for name, heap in (("dump", bitwarden.ciphertext_dump()), ("memory", memory)):
        assert [secret for secret in wanted if secret in heap] == [], name


def _memory_of(pid: int) -> bytes:
    """Every writable page of a process."""
    found = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            pages, rights, *_ = line.split()
            if rights.startswith("rw"):
                start, end = (int(address, 16) for address in pages.split("-"))
                memory.seek(start)
                found.append(memory.read(end - start))
    return b"".join(found)
