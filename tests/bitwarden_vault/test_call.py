"""The client's side of one conversation, against an agent that says what a real one never should."""

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.agent_socket import socket_path
from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import AgentUnavailable, OutcomeUnknown, VaultError
from bitwarden_vault.settings import Settings, read_settings
from bitwarden_vault.wire import Channel, Message

ENVIRON = {
    "BWS_ACCESS_TOKEN": "0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a.s3cr3t:AAECAwQFBgcICQoLDA0ODw==",
    "BWS_ORGANIZATION_ID": "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1",
    "BWS_SERVER_URL": "https://localhost:1",
}
Script = Callable[[Message], list[Message]]


class Impostor:
    """Answers each request with what a script makes of it, then hangs up."""

    def __init__(self, settings: Settings) -> None:
        self.script: Script = lambda _request: []
        self.asked: list[Message] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(socket_path(settings))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                channel = Channel(sock)
                request = channel.receive()
                if request is None:
                    return
                self.asked.append(request)
                for answer in self.script(request):
                    channel.send({"id": request["id"], **answer})

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def settings() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="bwv-") as directory:
        yield read_settings({**ENVIRON, "BITWARDEN_SOCKET_DIR": str(Path(directory))})


@pytest.fixture
def impostor(settings: Settings) -> Iterator[Impostor]:
    made = Impostor(settings)
    yield made
    made.stop()


def _create(settings: Settings) -> Any:  # noqa: ANN401 - whatever comes
    return VaultClient(settings).create_secret(key="k", value="v", note="", project_id="p")


def test_an_answer_to_another_request_is_not_taken(settings: Settings, impostor: Impostor) -> None:
    """It might be another secret's value."""
    impostor.script = lambda _request: [{"accepted": True}, {"id": "another", "result": []}]
    with pytest.raises(AgentUnavailable, match="not our agent"):
        VaultClient(settings).list_secrets()


ENDS: dict[str, tuple[list[Message], type[VaultError], int]] = {
    "before it took the request": ([], AgentUnavailable, 4),
    "while the write waited": ([{"accepted": True}], AgentUnavailable, 4),
    "after it was told to go elsewhere": ([{"moved": True}], AgentUnavailable, 4),
    "while the write was sent": ([{"accepted": True}, {"sending": True}], OutcomeUnknown, 1),
    "after the write was known not to be done": (
        [{"accepted": True}, {"sending": True}, {"waiting": True}],
        AgentUnavailable,
        4,
    ),
}


@pytest.mark.parametrize(("said", "error", "asked"), ENDS.values(), ids=ENDS.keys())
def test_a_write_is_asked_again_only_while_it_is_certain_that_it_was_not_sent(
    settings: Settings, impostor: Impostor, said: list[Message], error: type[VaultError], asked: int
) -> None:
    """The agent ends; and asking again has an end, too."""
    impostor.script = lambda _request: said
    with pytest.raises(error):
        _create(settings)
    assert len(impostor.asked) == asked


def test_an_error_keeps_its_kind_over_the_socket(settings: Settings, impostor: Impostor) -> None:
    """With message and waiting time; one that this version does not know is still a `VaultError`."""
    error = {"kind": "rate_limited", "message": "slowly", "retry_after": 7}
    impostor.script = lambda _request: [{"error": error}]
    with pytest.raises(VaultError, match="slowly") as caught:
        _create(settings)
    assert (caught.value.kind, caught.value.retry_after) == ("rate_limited", 7.0)
    impostor.script = lambda _request: [{"error": {"kind": "new in version 9", "message": "?"}}]
    with pytest.raises(VaultError):
        _create(settings)


def test_a_request_carries_no_token(settings: Settings, impostor: Impostor) -> None:
    """The agent has it; who asks needs none."""
    impostor.script = lambda _request: [{"result": []}]
    VaultClient(replace(settings, deadline=3.0)).list_secrets()
    assert "s3cr3t" not in repr(impostor.asked)
    assert impostor.asked[0]["deadline"] == 3.0
