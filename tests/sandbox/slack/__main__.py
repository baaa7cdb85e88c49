"""The server process: `python -m sandbox.slack FOLDER`, secrets in SLACK_SANDBOX, its port in FOLDER/port.

Beside Slack's own paths it has one for the person with a hand on the cables, who knows the control word.
"""

import json
import os
import sys
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from sandbox.slack.workspace import Answer, Workspace

_MOST_BYTES = 1024 * 1024


class SlackServer(ThreadingHTTPServer):
    """Listens on a port of its own choice."""

    daemon_threads = True

    def __init__(self, workspace: Workspace, *, hook_path: str, control_path: str) -> None:
        self.workspace, self.hook_path, self.control_path = workspace, hook_path, control_path
        super().__init__(("127.0.0.1", 0), _Exchange)

    def answer(self, path: str, headers: Message, body: bytes) -> Answer:
        """What a POST gets."""
        if path == self.control_path:
            return self._control(json.loads(body))
        if hindrance := self.workspace.hindrance():
            return hindrance
        if path.startswith("/api/"):
            words = headers.get("Authorization", "").split()
            token = words[1] if len(words) == 2 and words[0].lower() == "bearer" else None
            arguments = _arguments(headers, body)
            if arguments is None:
                return Answer(200, {"ok": False, "error": "invalid_json"})
            return self.workspace.call(path.removeprefix("/api/"), token, arguments)
        if path == self.hook_path:
            arguments = _arguments(headers, body)
            return Answer(400, "invalid_payload") if arguments is None else self.workspace.webhook(arguments)
        return Answer(404, "no_service")

    def _control(self, wish: dict[str, Any]) -> Answer:
        for name, value in wish.items():
            setattr(self.workspace, name, value)
        return Answer(200, {"ok": True})


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SlackServer

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        if length > _MOST_BYTES:
            self.close_connection = True
            self._say(Answer(413, "too large"))
            return
        self._say(self.server.answer(self.path, self.headers, self.rfile.read(length)))

    def _say(self, answer: Answer) -> None:
        bare = isinstance(answer.body, str)
        raw = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/plain" if bare else "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_request(self, code: int | str = "-", _size: int | str = "-") -> None:
        """Without the path: a webhook's is a secret."""
        self.log_message("%s %s", self.command, str(code))


def _arguments(headers: Message, body: bytes) -> dict[str, Any] | None:
    """The call's arguments; None when they are not what they say."""
    try:
        if headers.get_content_type() == "application/json":
            said = json.loads(body)
            return said if isinstance(said, dict) else None
        form: dict[str, Any] = dict(parse_qsl(body.decode()))
        return form | {name: json.loads(form[name]) for name in ("blocks", "attachments") if name in form}
    except ValueError:
        return None


def main(folder: Path) -> None:
    """Serve until ended."""
    secrets = json.loads(os.environ["SLACK_SANDBOX"])
    workspace = Workspace(secrets["token"], secrets["channel"], folder / "messages.jsonl")
    server = SlackServer(workspace, hook_path=secrets["hook_path"], control_path=secrets["control_path"])
    whole = folder / "port.new"
    whole.write_text(str(server.server_address[1]))
    whole.rename(folder / "port")
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
