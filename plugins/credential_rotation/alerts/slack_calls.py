"""The only file that knows slack_sdk: posts or changes a message, and says in plain words why it could not.

Rules this file keeps:
- slack_sdk gets a logger that says nothing: its own puts token and webhook address into debug lines.
- Slack's answer is shown only where it is one of its short codes; an exception's text never is.
- Waiting ends at a deadline: Slack may ask for any number of seconds.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import URLError

from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.http_retry.handler import RetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web import SlackResponse

from credential_rotation.alerts.message import Message
from credential_rotation.alerts.slack_settings import SlackSettings

TIMEOUT = 10
_TRIES = 4
_PAUSE = 3.0
"""At least this long must be left for one more try that Slack named no time for."""
_CODE = re.compile(r"[a-z][a-z_]{2,60}")

_REMEDIES = {
    "invalid_auth": "the token is not accepted: copy the bot token (xoxb-…) again",
    "not_authed": "the token is not accepted: copy the bot token (xoxb-…) again",
    "token_revoked": "the token was revoked: install the app again and set the new token",
    "token_expired": "the token has expired: set a new one",
    "account_inactive": "the app was removed or its account closed: install it again and set the new token",
    "missing_scope": "the app may not post: give it the scope chat:write and install it again",
    "channel_not_found": "there is no such channel for this app: check the name, and invite the app there",
    "not_in_channel": "the app is not in the channel: invite it there",
    "is_archived": "the channel is archived: set another one",
    "channel_is_archived": "the channel is archived: set another one",
    "no_service": "the webhook was switched off or deleted: make a new one",
    "no_active_hooks": "the webhook was switched off or deleted: make a new one",
    "invalid_token": "the webhook's address is not accepted: copy it again",
    "message_not_found": "somebody has deleted it",
    "thread_not_found": "somebody has deleted it",
    "edit_window_closed": "the workspace allows no changes that late: let apps edit their messages",
    "cant_update_message": "it is another app's message",
    "ratelimited": "Slack takes no more messages for now",
    "rate_limited": "Slack takes no more messages for now",
}


class NotTaken(Exception):
    """Slack does not have the message, or nobody knows; the text says why and may be shown."""

    def __init__(self, why: str, code: str = "") -> None:
        super().__init__(why)
        self.code = code


class _UntilDeadline(RetryHandler):
    """One of slack_sdk's retries, as long as there is time for it."""

    def __init__(self, retry: RetryHandler, deadline: float) -> None:
        super().__init__(max_retry_count=_TRIES - 1)
        self._retry = retry
        self._deadline = deadline

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if time.monotonic() + _asked_to_wait(response) > self._deadline:
            return False
        return self._retry._can_retry(state=state, request=request, response=response, error=error)  # noqa: SLF001 - slack_sdk's hook for subclasses

    def prepare_for_next_attempt(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        self._retry.prepare_for_next_attempt(state=state, request=request, response=response, error=error)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes: into a channel as itself, below another one, or in place of one."""

    channel: str | None = None
    thread_ts: str | None = None
    is_loud: bool = False
    """A reply that the channel sees too."""
    instead_of: str | None = None
    """The timestamp of the message that it takes the place of."""


def post(
    settings: SlackSettings, message: Message, place: Place, *, patience: float
) -> tuple[str | None, str | None]:
    """Channel and timestamp of the message, as far as Slack tells them. Raises: NotTaken."""
    retries = _retries(time.monotonic() + patience)
    timeout = max(1, min(TIMEOUT, int(patience)))
    try:
        if settings.webhook_url is not None:
            return _by_webhook(settings.webhook_url, message, retries, timeout)
        return _by_bot(settings, message, place, retries, timeout)
    except TimeoutError:
        raise NotTaken(
            f"Slack did not answer within {timeout} s; it may have the message all the same"
        ) from None
    except (URLError, OSError, HTTPException) as error:
        raise NotTaken(f"Slack cannot be reached ({_kind(error)})") from None


def _by_bot(
    settings: SlackSettings, message: Message, place: Place, retries: list[RetryHandler], timeout: int
) -> tuple[str | None, str | None]:
    client = WebClient(
        token=settings.token,
        base_url=settings.api_url,
        timeout=timeout,
        retry_handlers=retries,
        logger=_silence(),
    )
    try:
        answer = _call(client, settings, message, place)
    except SlackApiError as error:
        raise _refused(error.response.get("error"), error.response.status_code) from None
    return answer.get("channel"), answer.get("ts")


def _call(client: WebClient, settings: SlackSettings, message: Message, place: Place) -> SlackResponse:
    channel, blocks = place.channel or settings.channel, list(message.blocks)
    if place.instead_of is not None:
        return client.chat_update(channel=channel, ts=place.instead_of, text=message.text, blocks=blocks)
    return client.chat_postMessage(
        channel=channel,
        text=message.text,
        blocks=blocks,
        thread_ts=place.thread_ts,
        reply_broadcast=True if place.thread_ts and place.is_loud else None,
        unfurl_links=False,
        unfurl_media=False,
    )


def _by_webhook(
    url: str, message: Message, retries: list[RetryHandler], timeout: int
) -> tuple[str | None, str | None]:
    client = WebhookClient(url, timeout=timeout, retry_handlers=retries, logger=_silence())
    answer = client.send(text=message.text, blocks=list(message.blocks))
    if answer.status_code != 200 or answer.body.strip() != "ok":  # noqa: PLR2004 - HTTP's yes
        raise _refused(answer.body, answer.status_code)
    return None, None


def _retries(deadline: float) -> list[RetryHandler]:
    kinds = (RateLimitErrorRetryHandler(), ConnectionErrorRetryHandler(), ServerErrorRetryHandler())
    return [_UntilDeadline(kind, deadline) for kind in kinds]


def _asked_to_wait(response: HttpResponse | None) -> float:
    """How long until one more try makes sense; for ever where what Slack asks for is no number."""
    headers = {} if response is None else {name.lower(): values for name, values in response.headers.items()}
    asked = headers.get("retry-after")
    if not asked:
        return _PAUSE
    return int(asked[0]) + 1.0 if asked[0].isdecimal() else float("inf")


def _refused(found: object, status: object) -> NotTaken:
    """Why Slack did not take it, by its own code where it gave one."""
    if status == 429:  # noqa: PLR2004 - HTTP's "too many"
        found = "ratelimited"
    code = found.strip() if isinstance(found, str) else ""
    if not _CODE.fullmatch(code):
        return NotTaken(f"Slack did not take the message (HTTP {status})")
    remedy = _REMEDIES.get(code)
    return NotTaken(f"Slack did not take the message ({code})" + (f": {remedy}" if remedy else ""), code)


def _kind(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    return type(reason if isinstance(reason, BaseException) else error).__name__


def _silence() -> logging.Logger:
    """A logger that nobody hears, and that belongs to no tree that somebody could turn up."""
    logger = logging.Logger("slack", level=logging.CRITICAL + 1)  # noqa: LOG001 - outside the tree on purpose
    logger.addHandler(logging.NullHandler())
    return logger
