"""Outcomes to tell of, a message as a person reads it, and Slack's own limits."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from credential_rotation.alerts.message import Message, failure_message
from credential_rotation.outcome import OutcomeDict


def make_outcome(word: str, **changed: Any) -> OutcomeDict:  # noqa: ANN401 - any field of an outcome
    outcome: OutcomeDict = {
        "name": "warehouse-etl",
        "engine": "postgres",
        "strategy": "in_place",
        "outcome": word,
        "version": 3,
        "reason": "something was found",
        "next_step": "",
        "until": None,
        "attempt": "a1",
        "old_value": None,
        "new_value": None,
        "consumers": [],
        "steps": [],
    }
    outcome.update(changed)  # type: ignore[typeddict-item]  # a test names only fields that exist
    return outcome


def read(message: Message) -> str:
    """The message as a person sees it, one block after the other."""
    lines: list[str] = []
    for block in message.blocks:
        texts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        lines += [_shown(text, is_headline=block["type"] == "header") for text in texts if text is not None]
    return "\n".join(lines)


def _shown(text: dict[str, Any], *, is_headline: bool) -> str:
    shown = text["text"].replace("\n", ": ", 1) if text["type"] == "plain_text" else text["text"]
    linked = re.sub(r"<([^|>]+)\|([^>]+)>", r"[\2] \1", shown)
    return f"# {html.unescape(linked)}" if is_headline else html.unescape(linked)


LIMITS = {"header": 150, "section": 3000, "context": 2000}


def refuse_what_slack_refuses(message: Message) -> None:
    """Slack's documented limits and shapes, strictly; and nothing that pings or formats data."""
    assert 1 <= len(message.blocks) <= 50
    assert len(json.dumps(message.blocks, ensure_ascii=False)) < 13_200
    assert 1 <= len(message.text) <= 4000
    refuse_control_characters(message.text)
    for block in message.blocks:
        allowed = {"header": {"text"}, "section": {"text", "fields"}, "context": {"elements"}}[block["type"]]
        assert set(block) - {"type"} <= allowed
        assert len(set(block) & allowed) == 1
        if "text" in block:
            refuse_text(block["text"], LIMITS[block["type"]], is_header=block["type"] == "header")
        for text in [*block.get("fields", []), *block.get("elements", [])]:
            refuse_text(text, 2000)
        assert 1 <= len(block.get("fields", [1])) <= 10
        assert 1 <= len(block.get("elements", [1])) <= 10


def refuse_text(text: dict[str, Any], room: int, *, is_header: bool = False) -> None:
    assert 1 <= len(text["text"].encode("utf-16-le")) // 2 <= room
    if text["type"] == "mrkdwn":
        assert not is_header
        assert re.fullmatch(r"\*[^*_~`<>]+\*|<https?://([^|<>&\s]|&amp;)+\|Open the (log|run)>", text["text"])
    else:
        assert set(text) == {"type", "text", "emoji"}
        assert text["emoji"] is False
        refuse_control_characters(text["text"])


def refuse_control_characters(text: str) -> None:
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text)
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


@pytest.fixture(name="outcome")
def _outcome() -> Callable[..., OutcomeDict]:
    return make_outcome


@pytest.fixture(name="read")
def _read() -> Callable[[Message], str]:
    return read


@pytest.fixture(name="check_for_slack", scope="session")
def _check_for_slack() -> Callable[[Message], None]:
    return refuse_what_slack_refuses


@pytest.fixture(name="message")
def _message() -> Message:
    return failure_message(
        make_outcome("failed", old_value="works"),
        link="https://airflow.example/log?a=1&b=2",
        deployment="prod",
        owner="data-platform",
        run="manual__1",
    )
