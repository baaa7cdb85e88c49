"""Slack's token in Bitwarden, and what goes out when Bitwarden is what is down."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from credential_rotation.alerts.message import Message
from credential_rotation.alerts.people import teller_of
from credential_rotation.alerts.slack import NotSent, Sent
from sandbox.slack import SlackStandIn
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]


def key(site: Site) -> str:
    """One account reads the projects of all tests."""
    return f"alerts/slack-{site.number}"


@pytest.fixture(scope="module", name="slack")
def _slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackStandIn]:
    with SlackStandIn(tmp_path_factory.mktemp("slack")) as slack:
        yield slack


def told(site: Site, slack: SlackStandIn, message: Message, **more: str) -> Sent | NotSent:
    """What becomes of a message, with the token's place in the environment and not the token."""
    environ = {
        **site.environ,
        "SLACK_BOT_TOKEN_SECRET": key(site),
        "SLACK_CHANNEL": slack.channel,
        "ROTATION_SLACK_API_URL": slack.api_url,
        **more,
    }
    return teller_of(environ).say(message, "digest")


def test_the_token_is_read_from_bitwarden(site: Site, slack: SlackStandIn, message: Message) -> None:
    """As the rotation's machine account."""
    site.bitwarden.put_secret(project=site.projects["admins"], key=key(site), value=slack.token)
    assert isinstance(told(site, slack, message), Sent)


def test_an_alert_goes_out_when_bitwarden_is_what_is_down(
    site: Site, slack: SlackStandIn, message: Message, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By what is set beside it; the log says that and why."""
    down = {"BWS_SERVER_URL": "https://127.0.0.1:9", "BITWARDEN_SOCKET_DIR": str(tmp_path / "no" / "agent")}
    with caplog.at_level(logging.WARNING):
        assert told(site, slack, message, SLACK_BOT_TOKEN=slack.token, **down) == Sent(
            slack.channel, slack.messages()[-1]["ts"]
        )
        assert told(site, slack, message, SLACK_WEBHOOK_URL=slack.webhook_url, **down) == Sent()
    said = [record.getMessage() for record in caplog.records]
    assert [one.rpartition("; ")[2] for one in said if one.startswith("SLACK_BOT_TOKEN_SECRET: ")] == [
        "Slack is told by SLACK_BOT_TOKEN",
        "Slack is told by SLACK_WEBHOOK_URL",
    ]
    assert slack.token not in "".join(said)


def test_without_anything_to_fall_back_on_the_log_says_what_to_set(
    site: Site, slack: SlackStandIn, message: Message
) -> None:
    """And nothing is raised."""
    answer = told(site, slack, message)
    assert isinstance(answer, NotSent)
    assert answer.why == (
        f"SLACK_BOT_TOKEN_SECRET: there is no secret {key(site)!r} that the rotation's machine account can"
        " read, and neither SLACK_BOT_TOKEN nor SLACK_WEBHOOK_URL is set to fall back on"
    )


@pytest.mark.parametrize("value", ["xoxb-1 and more", "xoxb-\u00fc"])
def test_a_secret_that_is_no_token_is_said_without_its_text(
    site: Site, slack: SlackStandIn, message: Message, value: str
) -> None:
    """Somebody stored something else there."""
    site.bitwarden.put_secret(project=site.projects["admins"], key=key(site), value=value)
    answer = told(site, slack, message)
    assert isinstance(answer, NotSent)
    assert "holds more than a token" in answer.why
    assert "xoxb" not in answer.why


def test_the_command_line_ends_an_incident(site: Site, slack: SlackStandIn) -> None:
    """Who mends it by hand need not tell the channel."""
    environ = {
        **site.environ,
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_CHANNEL": slack.channel,
        "ROTATION_SLACK_API_URL": slack.api_url,
    }
    from credential_rotation.alerts.run import Run  # noqa: PLC0415 - only here
    from credential_rotation.outcome import told as outcome_told  # noqa: PLC0415 - only here

    entry = site.deployment().entry("reporting")
    failed = outcome_told(entry, "failed", "no connection").as_dict()
    teller_of(environ).tell(Run("rotation", "r1", (failed,), dag="d"))
    assert site.run("verify", "reporting", **environ).code == 0
    assert slack.threads()[-1][0]["text"].startswith("reporting: resolved after 1 minute\nok, ")
