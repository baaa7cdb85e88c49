"""Sends messages to Slack, and never stands in the way of a rotation.

Rules this file keeps:
- Sending never raises: what could not be sent is an answer, with the reason and without a secret.
- Nothing set is told apart from what is set and does not work.
- All messages of one sender share thirty seconds, so that an outage of Slack holds up nobody for long.
- slack_sdk is asked for only when there is something to send: the rest works without it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from credential_rotation.alerts.message import Message
from credential_rotation.alerts.slack_settings import (
    CHANNEL,
    TOKEN,
    WEBHOOK,
    SlackSettings,
    read_slack_settings,
)
from credential_rotation.errors import BadInput

PATIENCE = 30.0
"""Seconds that all messages of one sender may take together."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Slack took the message. A bot learns where it stands, so that it can be answered or changed later."""

    channel: str | None = None
    ts: str | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Slack does not have the message, or nobody knows."""

    why: str
    is_configured: bool = True
    """False: nobody asked for Slack, and there is nothing to mend."""


NOT_CONFIGURED = NotSent(
    f"Slack is not configured: set {TOKEN} and {CHANNEL}, or {WEBHOOK}", is_configured=False
)


class SlackSender:
    """Posts messages by bot token or webhook. Make a new one for each run: its patience is spent for good."""

    def __init__(self, settings: SlackSettings | None, *, patience: float = PATIENCE) -> None:
        self._settings = settings
        self._mistake: str | None = None
        self._left = patience

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, patience: float = PATIENCE) -> SlackSender:
        """A sender by these settings; wrong ones are what each `send` answers."""
        try:
            return cls(read_slack_settings(environ), patience=patience)
        except BadInput as wrong:
            sender = cls(None, patience=patience)
            sender._mistake = wrong.what
            return sender

    def send(self, message: Message) -> Sent | NotSent:
        """Post this message, once if all goes well, and rather twice than not at all."""
        if self._mistake is not None:
            return NotSent(self._mistake)
        if self._settings is None:
            return NOT_CONFIGURED
        if self._left <= 0:
            return NotSent("Slack has taken all the time there was for messages of this run")
        began = time.monotonic()
        try:
            return self._post(self._settings, message)
        except Exception as error:  # noqa: BLE001 - an alert must never stop a rotation; text may hold the webhook
            return NotSent(f"something unforeseen came up while sending: {type(error).__name__}")
        finally:
            self._left -= time.monotonic() - began

    def _post(self, settings: SlackSettings, message: Message) -> Sent | NotSent:
        try:
            from credential_rotation.alerts import slack_calls  # noqa: PLC0415 - slack_sdk only when needed
        except ImportError:
            return NotSent("slack_sdk is not installed: pip install slack-sdk")
        try:
            ts = slack_calls.post(settings, message, patience=self._left)
        except slack_calls.NotTaken as error:
            return NotSent(str(error))
        return Sent(*ts)
