"""pytest fixtures: a channel that a bot tells, and one that a webhook tells.

A test module asks for them with `pytest_plugins = ["scenes.slack.fixtures"]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.slack import SlackStandIn
from scenes.slack.channel import Channel


@pytest.fixture(scope="module", name="running")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackStandIn]:
    with SlackStandIn(tmp_path_factory.mktemp("slack")) as slack:
        yield slack


@pytest.fixture(name="slack")
def _slack(running: SlackStandIn) -> Iterator[SlackStandIn]:
    yield running
    running.outage(on=False)
    running.close_edits(on=False)
    running.delete("")


@pytest.fixture(name="bot")
def _bot(slack: SlackStandIn, tmp_path: Path) -> Channel:
    environ = {
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_CHANNEL": slack.channel_name,
        "ROTATION_SLACK_API_URL": slack.api_url,
        "ROTATION_STATE_PATH": str(tmp_path / "state"),
    }
    return Channel(slack, environ)


@pytest.fixture(name="hook")
def _hook(slack: SlackStandIn, tmp_path: Path) -> Channel:
    state = str(tmp_path / "state")
    return Channel(slack, {"SLACK_WEBHOOK_URL": slack.webhook_url, "ROTATION_STATE_PATH": state})
