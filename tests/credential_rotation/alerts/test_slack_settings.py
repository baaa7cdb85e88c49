"""Which settings reach Slack, and what is said about those that cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from credential_rotation.alerts.slack_settings import SlackSettings, read_slack_settings
from credential_rotation.errors import BadInput

TOKEN = "xoxb-1-secret"
HOOK = "https://hooks.slack.com/services/T0/B0/secret"


def test_nothing_set_is_no_mistake() -> None:
    """A fresh drop-in has no Slack; blanks, as compose files leave them, are nothing."""
    assert read_slack_settings({}) is None
    assert read_slack_settings({"SLACK_BOT_TOKEN": " ", "SLACK_CHANNEL": "", "SLACK_WEBHOOK_URL": ""}) is None


def test_a_bot_needs_token_and_channel() -> None:
    """Both are there: Slack's own address is used, with the slash that slack_sdk needs."""
    settings = read_slack_settings({"SLACK_BOT_TOKEN": f"{TOKEN}\n", "SLACK_CHANNEL": "#alerts"})
    assert settings == SlackSettings(TOKEN, "#alerts", None, "https://slack.com/api/")


def test_a_webhook_needs_nothing_else() -> None:
    """Its address says the channel too."""
    assert read_slack_settings({"SLACK_WEBHOOK_URL": HOOK}) == SlackSettings(webhook_url=HOOK)


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    """As Docker and Kubernetes mount them, with a line break at the end."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "hook").write_text(f"{HOOK}\n")
    bot = read_slack_settings({"SLACK_BOT_TOKEN_FILE": str(tmp_path / "token"), "SLACK_CHANNEL": "C1"})
    hook = read_slack_settings({"SLACK_WEBHOOK_URL_FILE": str(tmp_path / "hook")})
    assert (bot, hook) == (SlackSettings(TOKEN, "C1"), SlackSettings(webhook_url=HOOK))


def test_another_api_address_gets_its_slash() -> None:
    """A gateway's address works with and without a slash at the end; so does one on this machine."""
    for address in ("https://gateway.internal/slack", "http://127.0.0.1:8080/api/"):
        settings = read_slack_settings(
            {"SLACK_BOT_TOKEN": TOKEN, "SLACK_CHANNEL": "C1", "ROTATION_SLACK_API_URL": address}
        )
        assert settings is not None
        assert settings.api_url == address.rstrip("/") + "/"


def test_settings_do_not_show_their_secrets() -> None:
    """Neither token nor webhook is in what a log or a debugger prints."""
    assert "secret" not in repr(SlackSettings(TOKEN, "C1", HOOK))


MISTAKES = {
    "a token without a channel": (
        {"SLACK_BOT_TOKEN": TOKEN},
        "SLACK_CHANNEL is missing: set it to the channel's id or name",
    ),
    "a channel without a token": (
        {"SLACK_CHANNEL": "#alerts"},
        (
            "SLACK_CHANNEL is set and SLACK_BOT_TOKEN is not: set it, "
            "or SLACK_BOT_TOKEN_FILE to a file that holds it"
        ),
    ),
    "two ways at once": (
        {"SLACK_BOT_TOKEN": TOKEN, "SLACK_CHANNEL": "C1", "SLACK_WEBHOOK_URL": HOOK},
        "SLACK_BOT_TOKEN and SLACK_WEBHOOK_URL are both set: keep one of them",
    ),
    "a variable and its file": (
        {"SLACK_WEBHOOK_URL": HOOK, "SLACK_WEBHOOK_URL_FILE": "/x"},
        "SLACK_WEBHOOK_URL and SLACK_WEBHOOK_URL_FILE are both set: keep one of them",
    ),
    "a file that is not there": (
        {"SLACK_BOT_TOKEN_FILE": "/not/there", "SLACK_CHANNEL": "C1"},
        "SLACK_BOT_TOKEN_FILE: the file is empty or cannot be read",
    ),
    "two lines in one variable": (
        {"SLACK_BOT_TOKEN": f"{TOKEN}\n{TOKEN}", "SLACK_CHANNEL": "C1"},
        "SLACK_BOT_TOKEN holds blanks, line breaks or characters that are not ASCII",
    ),
    "a webhook in the clear": (
        {"SLACK_WEBHOOK_URL": HOOK.replace("https", "http")},
        "SLACK_WEBHOOK_URL is not an https:// address",
    ),
    "a webhook without its beginning": (
        {"SLACK_WEBHOOK_URL": HOOK.removeprefix("https://")},
        "SLACK_WEBHOOK_URL is not an https:// address",
    ),
    "a token in the clear to elsewhere": (
        {"SLACK_BOT_TOKEN": TOKEN, "SLACK_CHANNEL": "C1", "ROTATION_SLACK_API_URL": "http://slack.internal/"},
        "ROTATION_SLACK_API_URL is not an https:// address",
    ),
}


@pytest.mark.parametrize(("environ", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_names_the_variable_and_not_its_value(environ: dict[str, str], expected: str) -> None:
    """One clear error with the remedy, before anything has to be sent."""
    with pytest.raises(BadInput) as wrong:
        read_slack_settings(environ)
    assert wrong.value.what == f"Slack settings cannot work: {expected}"
    assert "check" in wrong.value.next_step


def test_all_mistakes_come_at_once() -> None:
    """Nobody has to restart Airflow once per mistake."""
    with pytest.raises(BadInput) as wrong:
        read_slack_settings({"SLACK_BOT_TOKEN": TOKEN, "ROTATION_SLACK_API_URL": "slack.com"})
    assert "SLACK_CHANNEL is missing" in wrong.value.what
    assert "ROTATION_SLACK_API_URL is not" in wrong.value.what
