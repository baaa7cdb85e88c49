"""The call to the outside, whose silence tells that Airflow, the watchdog or its way to people is down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from credential_rotation.alerts.slack import NOT_CONFIGURED, NotSent, Sent, is_complete
from credential_rotation.errors import BadInput
from credential_rotation.heartbeat import beat


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
