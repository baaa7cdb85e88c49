"""The call to the outside, whose silence tells that Airflow, the watchdog or its way to people is down."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from credential_rotation.alerts.heartbeat import beat
from credential_rotation.alerts.slack import NOT_CONFIGURED, NotSent, Sent, is_complete
from credential_rotation.errors import BadInput


@pytest.fixture(scope="module", name="outside")
def _outside() -> Iterator[str]:
    class Outside(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/ping/id" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_f5_a_call_that_is_heard_is_no_trouble_and_every_other_is_said(outside: str) -> None:
    """Without the address, which is a secret of sorts."""
    assert beat(f"{outside}/ping/id") == ""
    assert beat(f"{outside}/ping/other") == "it answers 404"
    assert beat("http://127.0.0.1:9/ping/id") == "it cannot be reached (URLError)"
    with pytest.raises(BadInput, match="is not a web address"):
        beat("file:///etc/passwd")


def _says(answer: bytes) -> str:
    """The address of somebody who answers once, and so."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer_once() -> None:
        with listening, listening.accept()[0] as called:
            called.recv(4096)
            called.sendall(answer)

    threading.Thread(target=answer_once, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}/ping"


WRONG: dict[str, tuple[Callable[[], str], str]] = {
    "whoever listens there does not speak HTTP": (lambda: _says(b"SSH-2.0-x\r\n"), "BadStatusLine"),
    "an answer without an end": (lambda: _says(b"HTTP/1.1 " + b"x" * 70_000), "LineTooLong"),
    "a blank in the address": (lambda: "https://hc.example/a b", "InvalidURL"),
    "a port that is none": (lambda: "http://hc.example:70000x/", "InvalidURL"),
    "a name that is too long for one": (lambda: f"http://{'a' * 70}.example/", "Unicode(Encode)?Error"),
}


@pytest.mark.parametrize("case", WRONG)
def test_f5_whatever_is_wrong_there_is_trouble_that_is_said(case: str) -> None:
    """Else the watchdog ends in a traceback, which holds the address."""
    address, kind = WRONG[case]
    assert re.fullmatch(rf"it cannot be reached \({kind}\)", beat(address()))


def test_f5_half_an_address_is_none() -> None:
    """It is said before anything is called."""
    with pytest.raises(BadInput, match="is not a web address"):
        beat("https://[::1/ping")


COMPLETE = {
    "nothing to say": (None, False, True),
    "Slack was told": (Sent(), False, True),
    "Slack is down": (NotSent("down"), False, False),
    "Slack is down, a notifier was told": (NotSent("down"), True, False),
    "the token was removed": (NOT_CONFIGURED, False, False),
    "no Slack, but a notifier": (NOT_CONFIGURED, True, True),
}


@pytest.mark.parametrize("case", COMPLETE)
def test_f5_only_a_run_that_told_people_what_there_is_calls_outside(case: str) -> None:
    """With Slack's token removed, a digest that reaches nobody ends in silence, which the outside notices."""
    sent, has_others, is_whole = COMPLETE[case]
    assert is_complete(sent, has_others=has_others) is is_whole
