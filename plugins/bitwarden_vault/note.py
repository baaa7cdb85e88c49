"""Our block in a secret's note: one fenced JSON object after the person's text.

Rules this file keeps:
- What stands around the block is a person's, and stays byte for byte.
- A block that is cut or broken is a person's text too: it is neither read nor removed.
- The last whole block counts, wherever somebody may have moved it.
- All fields are texts; people write `port` and `extra` as they are in a connection, and `cache_seconds` as
  the number that it is, which is as good.

    Ask Kim before you change this.

    ```bitwarden-vault
    {
      "epoch": "7",
      "history": [
        "2026-11-25 rotated to 7"
      ]
    }
    ```
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bitwarden_vault.json_members import is_whole

FENCE = "```bitwarden-vault"
_END = "```"
_BETWEEN = "\n\n"
"""Stands between the person's text and a block that is added; it goes with the block."""
_HISTORY = "history"
LIFE_FIELD = "cache_seconds"
"""Says how long a reader may keep the value, in seconds."""
_ALSO = {"port": int, "extra": dict, LIFE_FIELD: int}
"""What these may be besides texts."""
_OPENING = rf"(?m)^{FENCE}[ \t]*\r?$"
_CLOSING = rf"(?m)^{_END}[ \t]*\r?$"


@dataclass(frozen=True, slots=True)
class NoteBlock:
    """What programs write into a note, for programs and people to read."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """Any names but `history`."""
    history: tuple[str, ...] = ()
    """Lines for people; whoever writes them bounds them."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a note its block lies, in characters."""

    block: NoteBlock
    begin: int
    end: int


def read_note(note: str) -> NoteBlock | None:
    """The block in this note, if there is a whole one."""
    place = _find(note)
    return place.block if place else None


def write_note(note: str, block: NoteBlock | None) -> str:
    """The note with this block in place of the one it has, or after the person's text; None takes it out."""
    place = _find(note)
    if block is None:
        return note if place is None else _without(note, place)
    if place is not None:
        return note[: place.begin] + _text(block) + note[place.end :]
    return f"{note}{_BETWEEN}{_text(block)}" if note else _text(block)


def _without(note: str, place: _Place) -> str:
    return note[: place.begin].removesuffix(_BETWEEN) + note[place.end :]


def _text(block: NoteBlock) -> str:
    content: dict[str, object] = dict(block.fields)
    if _HISTORY in content:
        raise ValueError(f"{_HISTORY!r} is no field")
    if block.history:
        content[_HISTORY] = list(block.history)
    return f"{FENCE}\n{json.dumps(content, indent=2, ensure_ascii=False)}\n{_END}"


def _find(note: str) -> _Place | None:
    if FENCE not in note:
        return None
    for opening in reversed(list(re.finditer(_OPENING, note))):
        closing = re.compile(_CLOSING).search(note, opening.end())
        if closing is None:
            continue
        block = _parsed(note[opening.end() : closing.start()])
        if block is not None:
            return _Place(block, opening.start(), closing.start() + len(_END))
    return None


def _parsed(text: str) -> NoteBlock | None:
    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            return None
        for name, kind in _ALSO.items():
            if type(content.get(name)) is kind:
                content[name] = json.dumps(content[name], ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    history = content.pop(_HISTORY, [])
    if not isinstance(history, list) or not all(
        isinstance(one, str) and is_whole(one) for one in (*history, *content, *content.values())
    ):
        return None
    return NoteBlock(content, tuple(history))
