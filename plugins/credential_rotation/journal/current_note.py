"""Our marks in CURRENT's note: which version it holds, who promoted it, and a short history for people.

The grammar of the block is `bitwarden_vault.note`'s; the person's text around it is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from bitwarden_vault.note import NoteBlock, read_note, write_note

MOST_CHARACTERS = 7000
MOST_BYTES = 7400
"""Bitwarden's limits for a note: what the SDK counts, and what its ciphertext may hold as UTF-8."""
MOST_HISTORY = 20
MOST_DIGITS = 9
"""Of an epoch; a longer one is no number of ours."""
_MOMENT = "%Y-%m-%d %H:%M UTC"
_LINE = re.compile(rf"(.+ UTC): version ([0-9]{{1,{MOST_DIGITS}}})")
_NOTHING: Mapping[str, str] = {}


class NoteDoesNotFit(ValueError):
    """The person's text leaves no room for our marks."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What our block says."""

    epoch: int
    attempt: str


def read_marks(note: str) -> Marks | None:
    """Our marks in this note; None where we never wrote any that still make sense."""
    block = read_note(note)
    epoch = block.fields.get("epoch", "") if block else ""
    if block is None or not (epoch.isascii() and epoch.isdigit() and len(epoch) <= MOST_DIGITS):
        return None
    return Marks(int(epoch), block.fields.get("attempt", ""))


def with_marks(
    note: str,
    marks: Marks,
    *,
    now: datetime,
    first: Mapping[str, str] = _NOTHING,
    always: Mapping[str, str] = _NOTHING,
) -> str:
    """The note with these marks, what readers are told, and one more line of history.

    `first` holds where the block says nothing else, `always` whatever it says. Raises: NoteDoesNotFit.
    """
    before = read_note(note) or NoteBlock({})
    fields = {**first, **before.fields, **always, "epoch": str(marks.epoch), "attempt": marks.attempt}
    line = f"{now.astimezone(timezone.utc).strftime(_MOMENT)}: version {marks.epoch}"
    history = (*before.history, line)[-MOST_HISTORY:]
    for start in range(len(history)):  # older lines go first where room is short
        text = write_note(note, NoteBlock(fields, history[start:]))
        if len(text) <= MOST_CHARACTERS and len(text.encode()) <= MOST_BYTES:
            return text
    raise NoteDoesNotFit(
        f"its note would have {len(text)} characters in {len(text.encode())} bytes; "
        f"Bitwarden takes {MOST_CHARACTERS} in {MOST_BYTES}"
    )


def read_history_line(line: str) -> tuple[int, datetime] | None:
    """Which version a line of the history says was promoted, and when, to the minute; None of other lines."""
    found = _LINE.fullmatch(line)
    try:
        at = datetime.strptime(found[1], _MOMENT) if found else None  # noqa: DTZ007 - the text says UTC
    except ValueError:
        return None
    return (int(found[2]), at.replace(tzinfo=timezone.utc)) if found and at else None
