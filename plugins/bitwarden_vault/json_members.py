"""Replaces members of a JSON object and leaves every other byte as it was.

Rules this file keeps:
- What a person wrote around our members (order, blanks, numbers such as `1.0`, escapes) is theirs.
- An object that names a member twice is refused: which of them a reader takes is anybody's guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

_BLANKS = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class NoObject(ValueError):
    """The text is not one JSON object with distinct members. The message never repeats any of it."""


def is_whole(text: str) -> bool:
    """Whether every character is one: JSON also writes halves, which can neither be sent nor kept."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_object(text: str) -> dict[str, object]:
    """The object in this text. Raises: NoObject."""
    return {name: value for name, value, _, _ in _members(text)}


def replace_members(text: str, changes: Mapping[str, str]) -> str:
    """The text with these members set to these strings; those that are missing are added at the end.

    Raises: NoObject.
    """
    left = dict(changes)
    spans = [(start, end, left.pop(name)) for name, _, start, end in _members(text) if name in changes]
    for start, end, new in reversed(spans):
        text = text[:start] + json.dumps(new) + text[end:]
    return _with_more(text, left) if left else text


def _with_more(text: str, more: Mapping[str, str]) -> str:
    end = text.rindex("}")
    head = text[:end].rstrip(" \t\n\r")
    added = ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in more.items())
    return head + ("" if head.endswith("{") else ", ") + added + text[len(head) :]


def _members(text: str) -> Iterator[tuple[str, object, int, int]]:
    """Name, value, and where the value begins and ends."""
    try:
        yield from _scan(text)
    except NoObject:
        raise
    except (ValueError, IndexError, RecursionError):  # also a number of more digits than Python takes
        raise NoObject("it is not a JSON object") from None


def _scan(text: str) -> Iterator[tuple[str, object, int, int]]:
    seen: set[str] = set()
    at = _expect(text, 0, "{")
    while text[at] != "}":
        if seen:
            at = _expect(text, at, ",")
        _expect(text, at, '"')
        name, at = _DECODER.raw_decode(text, _blank(text, at))
        start = _expect(text, _blank(text, at), ":")
        value, end = _DECODER.raw_decode(text, start)
        if name in seen:
            raise NoObject("it names a member twice")
        seen.add(name)
        yield name, value, start, end
        at = _blank(text, end)
    if text[at + 1 :].strip(" \t\n\r"):
        raise NoObject("something follows the JSON object")


def _expect(text: str, at: int, character: str) -> int:
    """The place after this character (and after blanks), which has to come next."""
    at = _blank(text, at)
    if text[at] != character:
        raise NoObject("it is not a JSON object")
    return _blank(text, at + 1)


def _blank(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at
