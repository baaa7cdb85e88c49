"""Whatever arrives on the agent's socket, the agent goes on: others are answered by the same process."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bitwarden_vault.agent_socket import socket_path
from bitwarden_vault.errors import InvalidRequest
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

FINE: dict[str, Any] = {
    "id": "1",
    "operation": "get_secret",
    "arguments": {"id": "6b1e7a3c-0000-4000-8000-000000000000"},
    "caller": {},
    "reservation": "r",
    "build": 0,
    "deadline": 5.0,
    "patience": 5.0,
}
HUGE = float("inf")
"""JSON's `Infinity`, which Python reads."""
LAST_WORDS = (b'"result"', b'"error"')


def framed(text: str) -> bytes:
    body = text.encode("utf-8", "surrogatepass")
    return struct.pack("!I", len(body)) + body


def request(**changed: Any) -> bytes:  # noqa: ANN401 - JSON
    return framed(json.dumps({**FINE, **changed}))


def say(vault: VaultScene, words: bytes) -> bytes:
    """Send it, and hear what comes back until the agent has said its last word or hung up."""
    heard = b""
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.settimeout(10)
        stranger.connect(socket_path(vault.settings))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            stranger.sendall(words)
            if not _is_whole(words):
                stranger.shutdown(socket.SHUT_WR)
            while not any(word in heard for word in LAST_WORDS) and (piece := stranger.recv(65_536)):
                heard += piece
    return heard


def _is_whole(words: bytes) -> bool:
    return len(words) >= 4 and len(words) == 4 + struct.unpack("!I", words[:4])[0]


STRANGE = {
    "nested too deeply": framed("[" * 100_000),
    "an object nested too deeply": framed('{"a":' * 100_000),
    "a number too long": framed('{"id": ' + "1" * 5_000 + "}"),
    "a build without end": request(build=HUGE),
    "a build that is none": request(build=True),
    "arguments that are none": request(arguments=5),
    "a caller that is none": request(caller="kim"),
    "an operation that is none": request(operation=["get_secret"]),
    "a deadline without end": request(deadline=HUGE),
    "a deadline before now": request(deadline=-1),
    "a deadline that is no number": request(deadline=float("nan")),
    "a patience without end": request(patience=10**400),
    "a life of values that is none": request(cache_life="for ever"),
    "a reservation that is none": request(reservation=[]),
    "places that are none": request(
        operation="reserve", arguments={"creates": "x", "updates": 5, "reads": []}
    ),
    "places without end": request(
        operation="reserve", arguments={"creates": HUGE, "updates": [], "reads": []}
    ),
    "places for what is no id": request(
        operation="reserve", arguments={"creates": 0, "updates": [{}], "reads": []}
    ),
}


def test_what_is_no_request_of_ours_ends_its_connection_alone(vault: VaultScene) -> None:
    """Nothing is answered, and the agent, its login and its budget stay as they are."""
    vault.client.list_projects()
    agent = vault.agent()
    for what, words in STRANGE.items():
        assert say(vault, words) == b"", what
        vault.client.list_projects()
        assert vault.agent() == agent, what
    assert vault.logins() == 1


def test_a_client_that_does_not_say_how_long_values_may_be_kept_is_served(vault: VaultScene) -> None:
    """One of an older version, which goes on using a newer agent."""
    vault.put("k", "found")
    vault.client.list_projects()
    question = {"key": "k", "projects": [], "fresh": False}
    for _ in range(2):
        assert b'"found"' in say(vault, request(operation="look_up", arguments=question))


SCALARS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8)
)
VALUES = st.sampled_from([HUGE, -1, 10**400, "\ud800", "status", "reserve", "get_secrets", [], {}]) | (
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
)
NAMES = st.sampled_from(
    [*FINE, "cache_life", "creates", "updates", "reads", "ids", "key", "projects", "fresh"]
)
CHANGES = st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=3)


def _stays(changed: dict[str, Any]) -> bool:
    """A newer client and a request to stop make an agent leave, as they should."""
    build = changed.get("build")
    is_newer = isinstance(build, int) and build > 0
    return not is_newer and changed.get("operation") != "stop"


@settings(
    max_examples=80,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    words=st.binary(max_size=64)
    | st.binary(max_size=64).map(lambda body: struct.pack("!I", len(body)) + body)
    | CHANGES.filter(_stays).map(lambda changed: request(**changed))
)
def test_no_words_whatever_end_the_agent(vault: VaultScene, words: bytes) -> None:
    """Bytes, frames and requests with a wrong part: the next one is served by the same process."""
    vault.client.list_projects()
    agent = vault.agent()
    say(vault, words)
    assert vault.agent() == agent


@pytest.mark.parametrize("part", ["key", "value", "note"])
def test_half_a_character_is_refused_with_a_message(vault: VaultScene, part: str) -> None:
    """Nothing was sent, and the message does not repeat what could not be."""
    texts = {"key": "k", "value": "v", "note": "n", part: "canary\ud800"}
    with pytest.raises(InvalidRequest, match=f"{part} holds half a character") as refusal:
        vault.client.create_secret(**texts, project_id=vault.workplace.project)
    assert "canary" not in repr(refusal.value)
