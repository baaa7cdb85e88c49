"""The Slack stand-in, met by the real slack_sdk: it takes what Slack takes and refuses what Slack refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.webhook import WebhookClient

from sandbox.slack import SlackStandIn


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackStandIn]:
    with SlackStandIn(tmp_path_factory.mktemp("slack")) as slack:
        yield slack


@pytest.fixture
def slack(running: SlackStandIn) -> Iterator[SlackStandIn]:
    yield running
    running.outage(on=False)
    running.rate_limit(0)
    running.close_edits(on=False)
    running.delete("")


def client(slack: SlackStandIn, **settings: Any) -> WebClient:  # noqa: ANN401 - WebClient's own
    return WebClient(**{"token": slack.token, "base_url": slack.api_url} | settings)


def section(**content: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"type": "section", **content}


def words(length: int, kind: str = "mrkdwn") -> dict[str, str]:
    return {"type": kind, "text": "x" * length}


def button(text: int = 4, url: int = 10) -> dict[str, Any]:
    return {"type": "button", "text": words(text, "plain_text"), "url": "u" * url}


def error_of(call: Callable[..., object], *arguments: str, **settings: object) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(*arguments, **settings)
    return str(refused.value.response["error"])


def test_a_message_arrives_with_its_blocks_and_can_be_updated_in_place(slack: SlackStandIn) -> None:
    """An incident is one message that changes, with its story in a thread below."""
    blocks = [
        {"type": "header", "text": words(10, "plain_text")},
        section(text=words(5)),
        {"type": "divider"},
    ]
    posted = client(slack).chat_postMessage(channel=slack.channel_name, text="broken", blocks=blocks)
    channel, stamp = str(posted["channel"]), str(posted["ts"])
    client(slack).chat_postMessage(channel=channel, text="tried again", thread_ts=stamp)
    client(slack).chat_update(channel=channel, ts=stamp, text="mended")

    first, second = slack.messages()[-2:]
    assert (first["text"], second["text"], second["thread_ts"]) == ("mended", "tried again", stamp)
    assert [call["method"] for call in slack.accepted()[-3:]] == [
        "chat.postMessage",
        "chat.postMessage",
        "chat.update",
    ]
    assert slack.accepted()[-3]["blocks"] == blocks


def test_a_wrong_token_channel_or_message_is_refused_in_slacks_words(slack: SlackStandIn) -> None:
    """What a person got wrong in the settings is in the error's name."""
    before = slack.messages()
    assert (
        error_of(client(slack, token="xoxb-wrong").chat_postMessage, channel="C", text="x") == "invalid_auth"
    )
    assert error_of(client(slack, token=None).auth_test) == "not_authed"
    send = client(slack).chat_postMessage
    assert error_of(send, channel="C0OTHER", text="x") == "channel_not_found"
    silent = {"channel": slack.channel, "text": ""}
    assert error_of(client(slack).api_call, "chat.postMessage", json=silent) == "no_text"
    assert error_of(send, channel=slack.channel, text="x", thread_ts="1.2") == "thread_not_found"
    update = client(slack).chat_update
    assert error_of(update, channel=slack.channel_name, ts="1.2", text="x") == "channel_not_found"
    assert error_of(update, channel=slack.channel, ts="1.2", text="x") == "message_not_found"
    assert client(slack).auth_test()["ok"]
    assert slack.messages() == before


def test_what_cannot_be_changed_or_answered_is_refused_in_slacks_words(slack: SlackStandIn) -> None:
    """Another author's message, a deleted one, a workspace that allows no changes, a reply to a reply."""
    WebhookClient(slack.webhook_url).send(text="not the bot's")
    update, send = client(slack).chat_update, client(slack).chat_postMessage
    known: dict[str, Any] = {"channel": slack.channel, "text": "x"}
    assert error_of(update, ts=slack.messages()[-1]["ts"], **known) == "cant_update_message"
    first = str(send(**known)["ts"])
    reply = send(**known, thread_ts=first, reply_broadcast=True)
    assert slack.threads()[-1][1]["reply_broadcast"] is True
    assert error_of(send, thread_ts=str(reply["ts"]), **known) == "thread_not_found"
    slack.close_edits(on=True)
    assert error_of(update, ts=first, **known) == "edit_window_closed"
    slack.close_edits(on=False)
    slack.delete(first)
    assert error_of(update, ts=first, **known) == "message_not_found"
    assert error_of(send, thread_ts=first, **known) == "thread_not_found"


FITS: dict[str, list[dict[str, Any]]] = {
    "50 blocks": [{"type": "divider"}] * 50,
    "a section of 3000": [section(text=words(3000))],
    "10 fields of 2000": [section(fields=[words(2000)] * 10)],
    "a header of 150": [{"type": "header", "text": words(150, "plain_text")}],
    "a context of 10": [{"type": "context", "elements": [words(1)] * 10}],
    "25 buttons": [{"type": "actions", "elements": [button(75, 3000)] * 25}],
    "a section with a button": [section(text=words(1), accessory=button())],
}

TOO_MUCH: dict[str, list[dict[str, Any]]] = {
    "51 blocks": [{"type": "divider"}] * 51,
    "a section of 3001": [section(text=words(3001))],
    "an empty section": [section()],
    "empty text": [section(text=words(0))],
    "11 fields": [section(fields=[words(1)] * 11)],
    "a field of 2001": [section(fields=[words(2001)])],
    "a header of 151": [{"type": "header", "text": words(151, "plain_text")}],
    "a header in mrkdwn": [{"type": "header", "text": words(10)}],
    "a context of 11": [{"type": "context", "elements": [words(1)] * 11}],
    "an empty context": [{"type": "context", "elements": []}],
    "26 buttons": [{"type": "actions", "elements": [button()] * 26}],
    "a button text of 76": [{"type": "actions", "elements": [button(76)]}],
    "a button url of 3001": [{"type": "actions", "elements": [button(4, 3001)]}],
    "two blocks of one id": [{"type": "divider", "block_id": "a"}] * 2,
    "an unknown block": [{"type": "sektion"}],
}


@pytest.mark.parametrize("blocks", FITS.values(), ids=FITS)
def test_what_block_kit_allows_is_taken(slack: SlackStandIn, blocks: list[dict[str, Any]]) -> None:
    """The limits themselves are still allowed, through the API and through the webhook."""
    assert client(slack).chat_postMessage(channel=slack.channel, text="x", blocks=blocks)["ok"]
    assert WebhookClient(slack.webhook_url).send(blocks=blocks).body == "ok"
    assert [message["blocks"] for message in slack.messages()[-2:]] == [blocks, blocks]


@pytest.mark.parametrize("blocks", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_block_kit_forbids_is_refused_whole(slack: SlackStandIn, blocks: list[dict[str, Any]]) -> None:
    """An alert that is a character too long does not arrive at all: it must be cut before it is sent."""
    before = slack.messages()
    with pytest.raises(SlackApiError) as refused:
        client(slack).chat_postMessage(channel=slack.channel, text="x", blocks=blocks)
    assert refused.value.response["error"] == "invalid_blocks"
    assert "json-pointer:/blocks" in refused.value.response["response_metadata"]["messages"][0]
    hooked = WebhookClient(slack.webhook_url).send(text="x", blocks=blocks)
    assert (hooked.status_code, hooked.body) == (400, "invalid_blocks")
    assert slack.messages() == before


def test_the_webhook_answers_in_bare_words(slack: SlackStandIn) -> None:
    """A webhook has its own errors, and whoever does not know its path gets nowhere."""
    assert WebhookClient(slack.webhook_url).send(text="hello").body == "ok"
    assert slack.messages()[-1]["text"] == "hello"
    assert WebhookClient(slack.webhook_url).send(text="").body == "no_text"
    stranger = WebhookClient(slack.webhook_url + "x").send(text="hello")
    assert (stranger.status_code, stranger.body) == (404, "no_service")


def test_429_says_how_long_to_wait_and_the_sdks_own_retry_gets_through(slack: SlackStandIn) -> None:
    """The SDK waits as told, once; without its retry handler the caller sees 429."""
    slack.rate_limit(2)
    with pytest.raises(SlackApiError) as limited:
        client(slack).chat_postMessage(channel=slack.channel, text="x")
    assert limited.value.response.status_code == 429
    assert limited.value.response.headers["Retry-After"] == "1"
    patient = client(slack, retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=1)])
    assert patient.chat_postMessage(channel=slack.channel, text="got through")["ok"]
    slack.rate_limit(1, retry_after=7)
    assert WebhookClient(slack.webhook_url).send(text="x").headers["Retry-After"] == "7"


def test_an_outage_is_503_until_it_is_over(slack: SlackStandIn) -> None:
    """Nothing arrives during it, and nothing arrives late."""
    before = slack.messages()
    slack.outage(on=True)
    assert WebhookClient(slack.webhook_url).send(text="x").status_code == 503
    with pytest.raises(SlackApiError):
        client(slack).chat_postMessage(channel=slack.channel, text="x")
    slack.outage(on=False)
    assert slack.messages() == before
    assert client(slack).chat_postMessage(channel=slack.channel, text="x")["ok"]


def test_neither_token_nor_webhook_is_in_the_servers_log(slack: SlackStandIn) -> None:
    """The log of the stand-in is no place where a leak search would find what we put there ourselves."""
    WebhookClient(slack.webhook_url).send(text="hello")
    client(slack).auth_test()
    log = (slack.messages_file.parent / "slack.log").read_text()
    assert "POST 200" in log
    assert slack.token not in log
    assert slack.webhook_url.rsplit("/", 1)[1] not in log
