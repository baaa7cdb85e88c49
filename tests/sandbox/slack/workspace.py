"""One workspace with one channel and one bot: what each call does there, and what Slack would answer.

Pure but for the journal of accepted calls; a lock makes each call whole.
"""

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.slack.block_kit import complaints

TEAM, BOT, CHANNEL_NAME = "T0SANDBOX", "U0ROTATION", "credential-alerts"
_LONGEST_TEXT = 40_000
_CONTENT = ("text", "blocks", "attachments")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: dict[str, Any] | str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Workspace:
    """Its channel is known by `channel` (an id) and by CHANNEL_NAME."""

    token: str
    channel: str
    accepted: Path
    limited_calls: int = 0
    retry_after: int = 1
    outage: bool = False
    edits_closed: bool = False
    """The workspace's own setting: nobody changes what was posted."""
    deleted: str = ""
    """The message that a person has deleted."""
    _posted: list[str] = field(default_factory=list)
    _hooked: set[str] = field(default_factory=set)
    """What came through the webhook, which is another author."""
    _replies: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hindrance(self) -> Answer | None:
        """What every call meets now instead of being heard."""
        with self._lock:
            if self.outage:
                return Answer(503, "Service Unavailable")
            if self.limited_calls:
                self.limited_calls -= 1
                waiting = (("Retry-After", str(self.retry_after)),)
                return Answer(429, {"ok": False, "error": "ratelimited"}, waiting)
        return None

    def call(self, method: str, token: str | None, arguments: dict[str, Any]) -> Answer:
        """A Web API method."""
        if token != self.token:
            return _refused("invalid_auth" if token else "not_authed")
        if method == "auth.test":
            return Answer(200, {"ok": True, "team_id": TEAM, "user_id": BOT, "bot_id": "B0ROTATION"})
        if method not in ("chat.postMessage", "chat.update"):
            return _refused("unknown_method")
        if refusal := self._refusal(method, arguments):
            return refusal
        with self._lock:
            stamp = arguments["ts"] if method == "chat.update" else self._stamp()
            message = self._accept(method, arguments, stamp)
        return Answer(200, {"ok": True, "channel": self.channel, "ts": stamp, "message": message})

    def webhook(self, arguments: dict[str, Any]) -> Answer:
        """The incoming webhook: its answers are bare words."""
        if error := _content_error(arguments):
            return Answer(400, error)
        with self._lock:
            stamp = self._stamp()
            self._hooked.add(stamp)
            self._accept("webhook", {key: arguments[key] for key in arguments if key in _CONTENT}, stamp)
        return Answer(200, "ok")

    def _refusal(self, method: str, arguments: dict[str, Any]) -> Answer | None:
        names = (
            (self.channel,) if method == "chat.update" else (self.channel, f"#{CHANNEL_NAME}", CHANNEL_NAME)
        )
        if arguments.get("channel") not in names:
            return _refused("channel_not_found")
        there = [stamp for stamp in self._posted if stamp != self.deleted]
        if method == "chat.update" and (refused := self._no_update(arguments.get("ts"), there)):
            return _refused(refused)
        if arguments.get("thread_ts", "") not in ("", *there) or arguments.get("thread_ts") in self._replies:
            return _refused("thread_not_found")
        if error := _content_error(arguments):
            said = complaints(arguments["blocks"]) if error == "invalid_blocks" else []
            return _refused(error, said)
        return None

    def _no_update(self, stamp: object, there: list[str]) -> str | None:
        if stamp not in there:
            return "message_not_found"
        if stamp in self._hooked:
            return "cant_update_message"
        return "edit_window_closed" if self.edits_closed else None

    def _stamp(self) -> str:
        """Slack's message id: seconds and a counter; ours never repeats and always grows."""
        return f"17{len(self._posted):08d}.000100"

    def _accept(self, method: str, arguments: dict[str, Any], stamp: str) -> dict[str, Any]:
        if stamp not in self._posted:
            self._posted.append(stamp)
        wanted = (*_CONTENT, "thread_ts", "reply_broadcast")
        content = {name: arguments[name] for name in wanted if arguments.get(name)}
        if content.get("thread_ts"):
            self._replies.add(stamp)
        line = {"method": method, "channel": self.channel, "ts": stamp, **content}
        with self.accepted.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return {"type": "message", "user": BOT, "team": TEAM, "ts": stamp, **content}


def _content_error(arguments: dict[str, Any]) -> str | None:
    text, blocks = arguments.get("text"), arguments.get("blocks")
    if not text and not blocks and not arguments.get("attachments"):
        return "no_text"
    if len(text or "") > _LONGEST_TEXT:
        return "msg_too_long"
    return "invalid_blocks" if blocks and complaints(blocks) else None


def _refused(error: str, said: list[str] | None = None) -> Answer:
    """A Web API refusal, which travels with status 200."""
    more = {"errors": said, "response_metadata": {"messages": said}} if said else {}
    return Answer(200, {"ok": False, "error": error, **more})
