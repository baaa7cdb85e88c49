"""Sends messages to Slack, and never stands in the way of a rotation.

Rules this file keeps:
- Sending never raises: what could not be sent is an answer, with the reason and without a secret.
- Nothing set is told apart from what is set and does not work.
- All messages of one sender share thirty seconds, so that an outage of Slack holds up nobody for long.
- A token that lies in Bitwarden is read when there is something to send; where it cannot be had, what is set
  in the environment takes its place.
- slack_sdk is asked for only when there is something to send: the rest works without it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from credential_rotation.alerts.message import Message
from credential_rotation.alerts.slack_settings import (
    CHANNEL,
    SECRET,
    TOKEN,
    WEBHOOK,
    SlackSettings,
    read_slack_settings,
)
from credential_rotation.errors import BadInput

log = logging.getLogger(__name__)

FindToken = Callable[[str], "str | NoToken"]
"""The text of a secret in Bitwarden, by its key."""
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
    code: str = field(default="", compare=False)
    """Slack's own word for it, where it gave one."""


@dataclass(frozen=True, slots=True)
class NoToken:
    """The token cannot be had; the text says why and may be shown."""

    why: str


def is_complete(sent: Sent | NotSent | None, *, has_others: bool) -> bool:
    """Whether whoever was to be told was told: None where there was nothing to say.

    Somebody has removed the token: that nobody can be told any more is what an outside heartbeat is for.
    """
    return not isinstance(sent, NotSent) or (has_others and not sent.is_configured)


NOT_CONFIGURED = NotSent(
    f"Slack is not configured: set {TOKEN} and {CHANNEL}, or {WEBHOOK}", is_configured=False
)


class SlackSender:
    """Posts messages by bot token or webhook. Make a new one for each run: its patience is spent for good."""

    def __init__(
        self,
        settings: SlackSettings | None,
        *,
        patience: float = PATIENCE,
        find_token: FindToken | None = None,
    ) -> None:
        self._settings = settings
        self._find_token = find_token
        self._mistake: str | None = None
        self._left = patience

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], *, patience: float = PATIENCE, find_token: FindToken | None = None
    ) -> SlackSender:
        """A sender by these settings; wrong ones are what each `send` answers."""
        try:
            return cls(read_slack_settings(environ), patience=patience, find_token=find_token)
        except BadInput as wrong:
            sender = cls(None, patience=patience)
            sender._mistake = wrong.what
            return sender

    @property
    def has_threads(self) -> bool:
        """Whether messages can be answered and changed later: a bot can, a webhook cannot."""
        self._fetch_token()
        return self._settings is not None and self._settings.webhook_url is None

    def send(self, message: Message, *, below: Sent | None = None, is_loud: bool = False) -> Sent | NotSent:
        """Post this message, once if all goes well, and rather twice than not at all.

        `below` is the message that it answers; a reply that is loud is shown to the whole channel too.
        """
        return self._attempt(message, below=below, is_loud=is_loud)

    def change(self, at: Sent, message: Message) -> Sent | NotSent:
        """Put this message in the place of one that was posted."""
        return self._attempt(message, instead=at)

    def _attempt(
        self,
        message: Message,
        *,
        below: Sent | None = None,
        instead: Sent | None = None,
        is_loud: bool = False,
    ) -> Sent | NotSent:
        self._fetch_token()
        if self._mistake is not None:
            return NotSent(self._mistake)
        if self._settings is None:
            return NOT_CONFIGURED
        if self._left <= 0:
            return NotSent("Slack has taken all the time there was for messages of this run")
        began = time.monotonic()
        try:
            return self._post(self._settings, message, below=below, instead=instead, is_loud=is_loud)
        except Exception as error:  # noqa: BLE001 - an alert must never stop a rotation; text may hold the webhook
            return NotSent(f"something unforeseen came up while sending: {type(error).__name__}")
        finally:
            self._left -= time.monotonic() - began

    def _fetch_token(self) -> None:
        """Once: the token that lies in Bitwarden, or what is there instead of it."""
        settings = self._settings
        if settings is None or settings.token_key is None:
            return
        found: str | NoToken = NoToken("nothing here can ask Bitwarden")
        if self._find_token is not None:
            found = self._find_token(settings.token_key)
        self._settings = replace(settings, token_key=None)
        if not isinstance(found, NoToken):
            self._settings = replace(self._settings, token=found, webhook_url=None)
        elif settings.token is None and settings.webhook_url is None:
            self._mistake = f"{SECRET}: {found.why}, and neither {TOKEN} nor {WEBHOOK} is set to fall back on"
        else:
            other = TOKEN if settings.token else WEBHOOK
            log.warning("%s: %s; Slack is told by %s", SECRET, found.why, other)

    def _post(
        self,
        settings: SlackSettings,
        message: Message,
        *,
        below: Sent | None,
        instead: Sent | None,
        is_loud: bool,
    ) -> Sent | NotSent:
        try:
            from credential_rotation.alerts import slack_calls  # noqa: PLC0415 - slack_sdk only when needed
        except ImportError:
            return NotSent("slack_sdk is not installed: pip install slack-sdk")
        place = slack_calls.Place()
        if below is not None:
            place = slack_calls.Place(below.channel, thread_ts=below.ts, is_loud=is_loud)
        elif instead is not None:
            place = slack_calls.Place(instead.channel, instead_of=instead.ts)
        try:
            found = slack_calls.post(settings, message, place, patience=self._left)
        except slack_calls.NotTaken as error:
            return NotSent(str(error), code=error.code)
        return Sent(*found)
