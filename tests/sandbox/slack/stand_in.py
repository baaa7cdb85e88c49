"""Slack seen from the side that started it: the addresses to use, what arrived, and a hand on the cables."""

import json
import os
import secrets
import sys
import urllib.request
from pathlib import Path
from typing import Any

from sandbox.kept import Kept, wait_until

_TESTS = Path(__file__).parents[2]
_READY_WITHIN = 30.0


class SlackStandIn:
    """One workspace with one channel, on a port of its own."""

    channel = "C0ALERTS001"
    channel_name = "#credential-alerts"

    def __init__(self, directory: Path, *, hold: int | None = None) -> None:
        """Nothing runs before `start()`."""
        self._directory, self._hold = directory, hold
        self._kept: Kept | None = None
        self._port = 0
        self._control_path = f"/control/{secrets.token_urlsafe(16)}"
        self._hook_path = f"/services/T0SANDBOX/B0ROTATION/{secrets.token_urlsafe(18)}"
        self.token = f"xoxb-{secrets.randbelow(10**12):012d}-{secrets.token_urlsafe(18)}"
        self.messages_file = directory / "messages.jsonl"

    def __enter__(self) -> "SlackStandIn":  # noqa: PYI034 - typing.Self is 3.11
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once clients can connect; the channel is empty."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        port_file = self._directory / "port"
        for old in (port_file, self.messages_file):
            old.unlink(missing_ok=True)
        known = {
            "token": self.token,
            "channel": self.channel,
            "hook_path": self._hook_path,
            "control_path": self._control_path,
        }
        self._kept = Kept(
            [sys.executable, "-m", "sandbox.slack", self._directory],
            log=self._directory / "slack.log",
            env={"PATH": os.defpath, "PYTHONPATH": str(_TESTS), "SLACK_SANDBOX": json.dumps(known)},
            grace=1.0,
            hold=self._hold,
        )
        try:
            wait_until(port_file.exists, "Slack", within=_READY_WITHIN, kept=(self._kept,))
            self._port = int(port_file.read_text())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; again is fine. What arrived stays readable."""
        if self._kept is not None:
            self._kept.stop()
            self._kept = None

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._kept is not None, "Slack is not running"
        return self._kept.pid

    @property
    def api_url(self) -> str:
        """For slack_sdk's `WebClient(base_url=…)`."""
        return f"http://127.0.0.1:{self._port}/api/"

    @property
    def webhook_url(self) -> str:
        """The incoming webhook; whoever knows it can post."""
        return f"http://127.0.0.1:{self._port}{self._hook_path}"

    def accepted(self) -> list[dict[str, Any]]:
        """Every call that Slack accepted, oldest first: `method`, `ts`, `text`, `blocks`, `thread_ts`."""
        if not self.messages_file.exists():
            return []
        whole, _, _being_written = self.messages_file.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def messages(self) -> list[dict[str, Any]]:
        """The channel as people see it now: an updated message has its last text, in its first place."""
        seen: dict[str, dict[str, Any]] = {}
        for call in self.accepted():
            now = {key: value for key, value in call.items() if key != "method"}
            before = seen.get(call["ts"], {})
            seen[call["ts"]] = {name: before[name] for name in ("thread_ts",) if name in before} | now
        return list(seen.values())

    def threads(self) -> list[list[dict[str, Any]]]:
        """The channel by threads: each is its first message and the replies to it, as people see them now."""
        found = {one["ts"]: [one] for one in self.messages() if "thread_ts" not in one}
        for one in self.messages():
            if "thread_ts" in one:
                found[one["thread_ts"]].append(one)
        return list(found.values())

    def rate_limit(self, times: int, *, retry_after: int = 1) -> None:
        """Answer the next calls with 429 and Retry-After."""
        self._control(limited_calls=times, retry_after=retry_after)

    def outage(self, on: bool) -> None:  # noqa: FBT001 - reads as a switch
        """Answer 503 to everything, until switched off."""
        self._control(outage=on)

    def close_edits(self, on: bool) -> None:  # noqa: FBT001 - reads as a switch
        """Let nobody change what was posted, as a workspace may have it."""
        self._control(edits_closed=on)

    def delete(self, ts: str) -> None:
        """Somebody deletes a message: it can be neither changed nor answered. Of one message at a time."""
        self._control(deleted=ts)

    def _control(self, **wish: int | str) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{self._control_path}",
            data=json.dumps(wish).encode(),
            method="POST",
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=10):
            pass
