"""Block Kit's building blocks, safe for any text and within Slack's limits.

Rules this file keeps:
- What comes from names, errors or settings stands in `plain_text` objects: there nothing is formatted.
- Slack's three control characters are escaped everywhere, so that nothing pings or links.
- A text is cut after escaping, never within an escape, and says so with an ellipsis.
- Only our own words are `mrkdwn`, so that a label can be bold.
"""

from __future__ import annotations

import unicodedata
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

HEADER_ROOM = 150
SECTION_ROOM = 3000
FIELD_ROOM = 2000
LABEL_ROOM = 200
MOST_FIELDS = 10

Block: TypeAlias = dict[str, Any]

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Control characters, text direction overrides, halves of characters: what could hide or reorder text."""
_FORMATTING = str.maketrans("", "", "*_~`")
_URL_ROOM = 2000
_URL_SAFE = "%:/?#[]@!$&'()*+,;=~"


def safe(text: str, room: int) -> str:
    """The text without invisible characters, escaped, and at most `room` long as Slack counts it."""
    pieces = [_ESCAPES.get(character, character) for character in _visible(text)]
    if not pieces:
        return "not told"
    if sum(map(_length, pieces)) <= room:
        return "".join(pieces)
    kept, left = [], room - 1
    for piece in pieces:
        left -= _length(piece)
        if left < 0:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + "…"


def length(text: str) -> int:
    """How much room it takes when it is safe."""
    return sum(_length(_ESCAPES.get(character, character)) for character in _visible(text))


def header(name: str, words: str) -> Block:
    """The headline; where it is too long the name is cut, not what happened to it."""
    rest = safe(words, HEADER_ROOM // 2 + 30)
    before = safe(name, HEADER_ROOM - _length(rest) - 2)
    return {"type": "header", "text": _plain(f"{before}: {rest}")}


def context(text: str) -> Block:
    """One small grey line."""
    return {"type": "context", "elements": [_plain(safe(text, FIELD_ROOM))]}


def footer(*parts: str | None) -> str:
    """What the small grey line says: these, as far as they are known."""
    return " · ".join(part for part in parts if part)


def labelled(label: str, text: str, room: int = SECTION_ROOM) -> list[Block]:
    """A bold label of our own words, and below it a text from anywhere."""
    return [
        {"type": "section", "text": _bold(label)},
        {"type": "section", "text": _plain(safe(text, min(room, SECTION_ROOM)))},
    ]


def facts(*pairs: tuple[str, str]) -> Block:
    """Short facts in two columns: label above, answer below."""
    fields = [
        _plain(f"{safe(label, LABEL_ROOM)}\n{safe(answer, FIELD_ROOM - LABEL_ROOM - 1)}")
        for label, answer in pairs
    ]
    return {"type": "section", "fields": fields[:MOST_FIELDS]}


def link_to(url: str | None, words: str) -> list[Block]:
    """A link; a button would need an app that answers clicks, and shows a warning without one."""
    address = _address(url)
    if address is None:
        return []
    return [{"type": "section", "text": {"type": "mrkdwn", "text": f"<{address}|{words}>", "verbatim": True}}]


def _address(url: str | None) -> str | None:
    """The address with all that could end the link encoded; None where it is no web address."""
    try:
        is_web = url is not None and urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return None
    if url is None or not is_web:
        return None
    encoded = quote(url.encode("utf-8", "replace"), safe=_URL_SAFE).replace("&", "&amp;")
    return encoded if len(encoded) <= _URL_ROOM else None


def _visible(text: str) -> str:
    flat = text.replace("\r\n", "\n").replace("\t", " ").strip()
    return "".join(c for c in flat if c == "\n" or unicodedata.category(c) not in _INVISIBLE).strip()


def _length(text: str) -> int:
    """Slack counts as JavaScript does: a character beyond the basic plane is two."""
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)  # noqa: PLR2004 - the plane's end


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _bold(label: str) -> Block:
    words = safe(label.translate(_FORMATTING), LABEL_ROOM)
    return {"type": "mrkdwn", "text": f"*{words}*", "verbatim": True}
