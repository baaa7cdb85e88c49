"""Who takes a value by hand and is not known to have it: by the planners, and by what happened since.

Rules this file keeps:
- Pure: status, what runs said, and the words that people gave, which the shelf lays beside each entry.
- A version that a run has made since the planners looked is nobody's until somebody says so.
- Where names do not tell which version CURRENT holds, the last run that found one of them does: another one
  may have been begun only, and a word for it would be refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from credential_rotation.by_hand import BY_HAND, confirm_command, how_to_confirm
from credential_rotation.model import Consumer
from credential_rotation.state.confirmations import PREFIX
from credential_rotation.ui.shelf import Row

Entry = Mapping[str, Any]
_TOLD = ("who", "consumer", "version", "until", "how", "command")


def awaited(entry: Entry, said: Sequence[Row], *, as_of: str) -> list[dict[str, Any]]:
    """Of whom nobody has said that they have the newest version, and what a person does about it."""
    made = [one for one in said if one.at > as_of and one.written and one.version]
    if made:
        return [_of(entry, name, made[-1].version or 0) for name in _without(entry, made[-1].version)]
    words = entry.get("words") or ()
    may_be = entry.get("may_be") or ()
    seen = [one.version for one in said if one.version in may_be][-1:]
    listed = [one for one in entry.get("awaits") or () if isinstance(one, dict)]
    if seen:
        listed = [one for one in listed if one.get("version") == seen[0]]
    return [{name: one.get(name) for name in _TOLD} for one in listed if _word(one) not in words]


def is_put_right(row: Row, entry: Entry) -> bool:
    """Whether nothing but people's words was missing, and all of them have been given."""
    return row.only_words_missing and not _without(entry, row.version)


def _word(one: Mapping[str, Any]) -> tuple[tuple[Any, Any], Any]:
    return (one.get("version"), one.get("attempt")), one.get("consumer")


def _without(entry: Entry, version: int | None) -> list[str]:
    """Those of an entry of whom nobody has said that they have this version."""
    said = {consumer for (number, _), consumer in entry.get("words") or () if number == version}
    listed = (str(one) for one in entry.get("consumers") or ())
    names = [one.removeprefix(PREFIX) for one in listed if one.startswith(PREFIX)]
    return [one for one in names if one not in said]


def _of(entry: Entry, name: str, version: int) -> dict[str, Any]:
    credential, who = str(entry.get("name")), Consumer(BY_HAND, name)
    return {
        "who": name,
        "consumer": name,
        "version": version,
        "until": None,
        "how": how_to_confirm(credential, who, version),
        "command": confirm_command(credential, who, version),
    }
