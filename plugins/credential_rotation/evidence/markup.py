"""Pieces of an HTML page: a section, facts, a table, a moment.

Rules this file keeps:
- Every text is escaped; what is markup already says so by its name or its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

NOT_KNOWN = "not on record"


def section(title: str, *content: str) -> str:
    """A heading, and below it what is markup already; "None." where that is nothing."""
    return f"<section><h2>{escape(title)}</h2>\n{''.join(content) or '<p>None.</p>'}</section>\n"


def facts(told: Iterable[tuple[Any, ...]]) -> str:
    """Names and texts, empty ones left out; a third member says that the text is markup already."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{text if is_ours else escape(str(text or ''))}</dd>"
        for name, text, *is_ours in told
        if text
    )
    return f"<dl>{rows}</dl>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells that are markup already, below heads that are not."""
    head = "".join(f"<th scope=col>{escape(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def when(moment: object) -> str:
    """A moment that a document keeps, to the second, as people read it."""
    text = str(moment or "")
    if not text:
        return NOT_KNOWN
    return f"<time>{escape(text[:19].replace('T', ' '))} UTC</time>"
