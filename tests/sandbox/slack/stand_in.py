"""Slack seen from the side that started it: the addresses to use, what arrived, and a hand on the cables."""

import json
import secrets
from pathlib import Path
from typing import Any

from sandbox.stand_in_process import StandInProcess


class SlackStandIn(StandInProcess):
    """One workspace with one channel, on a port of its own."""

    channel = "C0ALERTS001"
    channel_name = "#credential-alerts"

    name = "slack"

    def __init__(self, directory: Path, *, hold: int | None = None) -> None:
        """Nothing runs before `start()`."""
        super().__init__(directory, hold=hold)
        self._hook_path = f"/services/T0SANDBOX/B0ROTATION/{secrets.token_urlsafe(18)}"
        self.token = f"xoxb-{secrets.randbelow(10**12):012d}-{secrets.token_urlsafe(18)}"
        self.messages_file = directory / "messages.jsonl"
        """What arrived; it stays readable after the end."""

    def start(self) -> None:
        """Returns once clients can connect; the channel is empty."""
        self.messages_file.unlink(missing_ok=True)
        super().start()

    def _told(self) -> dict[str, str]:
        return {"token": self.token, "channel": self.channel, "hook_path": self._hook_path}

    @property
    def api_url(self) -> str:
        """For slack_sdk's `WebClient(base_url=…)`."""
        return f"{self.url}/api/"

    @property
    def webhook_url(self) -> str:
        """The incoming webhook; whoever knows it can post."""
        return f"{self.url}{self._hook_path}"

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
        self._control({"limited_calls": times, "retry_after": retry_after})

    def outage(self, on: bool) -> None:  # noqa: FBT001 - reads as a switch
        """Answer 503 to everything, until switched off."""
        self._control({"outage": on})

    def close_edits(self, on: bool) -> None:  # noqa: FBT001 - reads as a switch
        """Let nobody change what was posted, as a workspace may have it."""
        self._control({"edits_closed": on})

    def delete(self, ts: str) -> None:
        """Somebody deletes a message: it can be neither changed nor answered. Of one message at a time."""
        self._control({"deleted": ts})
