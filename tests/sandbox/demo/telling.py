"""What the person at the terminal reads: chapters with the time that went by, facts, and a Slack message."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_OUT = Console(highlight=False, soft_wrap=True)
_ERR = Console(highlight=False, soft_wrap=True, stderr=True)
_BEGAN = time.monotonic()
_WIDEST = 96


def say(words: str) -> None:
    """One line."""
    _OUT.print(Text(words))


def warn(words: str) -> None:
    """One line on standard error."""
    _ERR.print(Text(words))


def chapter(words: str) -> None:
    """A heading, with the time since the start."""
    _OUT.print(Text(f"\n[{time.monotonic() - _BEGAN:5.1f} s] {words}", style="bold"))


def fact(words: str, *, good: bool | None = None) -> None:
    """One thing that was seen; good, bad, or neither."""
    sign, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "")}[good]
    _OUT.print(Text(f"  {sign} ", style=style) + Text(words))


def quote(words: str) -> None:
    """Lines of somebody else's, indented."""
    for line in words.splitlines():
        _OUT.print(Text(f"      {line}", style="dim"))


def slack_message(message: Mapping[str, Any]) -> None:
    """A message as it stands in the channel."""
    lines = [line for block in message["blocks"] for line in _lines(block)]
    panel = Panel(Text("\n".join(lines)), title="Slack #credential-alerts", title_align="left")
    _OUT.print(panel, soft_wrap=False, width=min(_WIDEST, _OUT.width))


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A table."""
    made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for heading in headings:
        made.add_column(heading)
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    _OUT.print(made)


def _lines(block: Mapping[str, Any]) -> list[str]:
    texts = [block["text"]] if "text" in block else []
    texts += block.get("fields", []) + block.get("elements", [])
    said = [_plain(text["text"]) if text["type"] == "mrkdwn" else text["text"] for text in texts]
    if "fields" in block:
        return ["", *(text.replace("?\n", "? ").replace("\n", ": ") for text in said)]
    is_label = block.get("text", {}).get("type") == "mrkdwn"
    return ["", *said] if is_label or block["type"] == "context" else said


def _plain(mrkdwn: str) -> str:
    """A label without its stars, a link as its words and address."""
    if mrkdwn.startswith("<"):
        address, _, words = mrkdwn.strip("<>").partition("|")
        return f"{words}: {address}"
    return mrkdwn.strip("*")
