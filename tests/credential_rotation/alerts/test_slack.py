"""Sending to a stand-in of Slack, that refuses what Slack refuses, and to one that does not answer."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from credential_rotation.alerts.message import Message
from credential_rotation.alerts.slack import NotSent, Sent, SlackSender
from sandbox.places import PLUGINS
from sandbox.slack import SlackStandIn


@pytest.fixture(scope="module", name="slack")
def _slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackStandIn]:
    with SlackStandIn(tmp_path_factory.mktemp("slack")) as slack:
        yield slack


@pytest.fixture(name="bot")
def _bot(slack: SlackStandIn) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_CHANNEL": slack.channel,
        "ROTATION_SLACK_API_URL": slack.api_url,
    }


@pytest.fixture(name="hook")
def _hook(slack: SlackStandIn) -> dict[str, str]:
    return {"SLACK_WEBHOOK_URL": slack.webhook_url}


@pytest.fixture(params=["bot", "hook"], name="either")
def _either(request: pytest.FixtureRequest, bot: dict[str, str], hook: dict[str, str]) -> dict[str, str]:
    return bot if request.param == "bot" else hook


@pytest.fixture(autouse=True, name="logged")
def _logged(caplog: pytest.LogCaptureFixture, slack: SlackStandIn) -> Iterator[None]:
    """Whatever a test does: no secret in any log, however talkative logging is set."""
    caplog.set_level(logging.DEBUG)
    yield
    records = caplog.get_records("call")
    assert [record for record in records if record.name.startswith("slack_sdk")] == []
    said = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in records)
    assert slack.token not in said
    assert slack.webhook_url not in said


def test_a_bot_posts_and_learns_where_the_message_stands(
    slack: SlackStandIn, bot: dict[str, str], message: Message
) -> None:
    """Channel and timestamp come back, by which a message can be answered and changed."""
    sent = SlackSender.from_environment(bot).send(message)
    last = slack.messages()[-1]
    assert sent == Sent(slack.channel, last["ts"])
    assert (last["text"], last["blocks"]) == (message.text, list(message.blocks))


def test_a_webhook_posts_the_same(slack: SlackStandIn, hook: dict[str, str], message: Message) -> None:
    """Only that nobody can say where."""
    before = len(slack.messages())
    assert SlackSender.from_environment(hook).send(message) == Sent()
    assert [one["blocks"] for one in slack.messages()[before:]] == [list(message.blocks)]


def test_a_rate_limit_is_waited_for(slack: SlackStandIn, either: dict[str, str], message: Message) -> None:
    """Slack says when, and then takes it; the message is there once."""
    before = len(slack.messages())
    slack.rate_limit(2, retry_after=0)
    assert isinstance(SlackSender.from_environment(either).send(message), Sent)
    assert len(slack.messages()) == before + 1


def test_a_rate_limit_beyond_patience_is_not_waited_for(
    slack: SlackStandIn, either: dict[str, str], message: Message
) -> None:
    """Ten minutes of 'later' cost a run no time."""
    slack.rate_limit(1, retry_after=600)
    began = time.monotonic()
    answer = SlackSender.from_environment(either).send(message)
    assert time.monotonic() - began < 1
    assert answer == NotSent(
        "Slack did not take the message (ratelimited): Slack takes no more messages for now",
        code="ratelimited",
    )


def test_an_outage_is_an_answer_and_passes(
    slack: SlackStandIn, either: dict[str, str], message: Message
) -> None:
    """While Slack is down nothing is raised, and afterwards the same sender goes on."""
    sender = SlackSender.from_environment(either, patience=5)
    slack.outage(on=True)
    try:
        assert sender.send(message) == NotSent("Slack did not take the message (HTTP 503)")
    finally:
        slack.outage(on=False)
    assert isinstance(sender.send(message), Sent)


def test_a_slack_that_does_not_answer_costs_its_patience_once(message: Message) -> None:
    """However many messages there are, they share the time; the rest is answered at once."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/services/T/B/secret"
        sender = SlackSender.from_environment({"SLACK_WEBHOOK_URL": url}, patience=1)
        began = time.monotonic()
        answers = [sender.send(message) for _ in range(50)]
        assert time.monotonic() - began < 3
    assert answers[0] == NotSent("Slack did not answer within 1 s; it may have the message all the same")
    assert answers[-1] == NotSent("Slack has taken all the time there was for messages of this run")


def test_a_slack_that_cannot_be_reached_is_said_so(message: Message) -> None:
    """Without the address: a webhook's is a secret."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/services/T/B/secret"
    answer = SlackSender.from_environment({"SLACK_WEBHOOK_URL": url}, patience=2).send(message)
    assert answer == NotSent("Slack cannot be reached (ConnectionRefusedError)")


def test_a_wrong_token_is_told_with_its_remedy(bot: dict[str, str], message: Message) -> None:
    """Who set it reads what to do, and not the token."""
    answer = SlackSender.from_environment({**bot, "SLACK_BOT_TOKEN": "xoxb-wrong"}).send(message)
    assert answer == NotSent(
        "Slack did not take the message (invalid_auth): "
        "the token is not accepted: copy the bot token (xoxb-…) again"
    )


def test_a_channel_that_is_not_there_is_told_with_its_remedy(bot: dict[str, str], message: Message) -> None:
    """The most usual mistake of a first try."""
    answer = SlackSender.from_environment({**bot, "SLACK_CHANNEL": "#elsewhere"}).send(message)
    assert isinstance(answer, NotSent)
    assert answer.why.endswith("check the name, and invite the app there")


def test_a_webhook_that_is_gone_is_told_with_its_remedy(hook: dict[str, str], message: Message) -> None:
    """And its address is not repeated."""
    answer = SlackSender.from_environment({"SLACK_WEBHOOK_URL": hook["SLACK_WEBHOOK_URL"] + "x"}).send(
        message
    )
    assert answer == NotSent(
        "Slack did not take the message (no_service): the webhook was switched off or deleted: make a new one"
    )


def test_a_message_that_slack_refuses_is_an_answer(either: dict[str, str], message: Message) -> None:
    """Even our own mistake stops no rotation."""
    broken = replace(message, blocks=({"type": "header", "text": {"type": "mrkdwn", "text": "x"}},))
    answer = SlackSender.from_environment(either).send(broken)
    assert isinstance(answer, NotSent)
    assert "invalid_blocks" in answer.why


def test_not_configured_is_told_apart_from_failed(message: Message) -> None:
    """Who has no Slack reads how to set it up, and nothing is wrong."""
    answer = SlackSender.from_environment({}).send(message)
    assert isinstance(answer, NotSent)
    assert not answer.is_configured
    assert answer.why == (
        "Slack is not configured: set SLACK_BOT_TOKEN and SLACK_CHANNEL, or SLACK_WEBHOOK_URL"
    )


def test_wrong_settings_are_an_answer_too(message: Message) -> None:
    """A sender can always be made; what is wrong comes with each message."""
    answer = SlackSender.from_environment({"SLACK_BOT_TOKEN": "xoxb-secret"}).send(message)
    assert isinstance(answer, NotSent)
    assert answer.is_configured
    assert "SLACK_CHANNEL is missing" in answer.why
    assert "secret" not in answer.why


def test_what_nobody_foresaw_is_an_answer_without_its_text(
    bot: dict[str, str], message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error's text may hold the webhook's address; its kind does not."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("https://hooks.slack.com/services/T/B/secret")

    monkeypatch.setattr("slack_sdk.WebClient.chat_postMessage", broken)
    answer = SlackSender.from_environment(bot).send(message)
    assert answer == NotSent("something unforeseen came up while sending: RuntimeError")


def test_without_slack_sdk_everything_loads_and_sending_says_so() -> None:
    """An Airflow component without the library starts, and the alert's answer names it."""
    code = (
        "import sys; sys.modules['slack_sdk'] = None\n"
        "from credential_rotation.alerts.message import Message\n"
        "from credential_rotation.alerts.slack import SlackSender\n"
        "sender = SlackSender.from_environment({'SLACK_WEBHOOK_URL': 'https://x/y'})\n"
        "print(sender.send(Message('x', ())).why)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(PLUGINS)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert ran.stdout == "slack_sdk is not installed: pip install slack-sdk\n"
