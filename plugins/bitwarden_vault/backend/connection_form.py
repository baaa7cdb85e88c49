"""A secret's value as Airflow's own connection text, whichever of our formats it is in.

Rules this file keeps:
- What is an Airflow connection already (its JSON, its URI) stays, to the byte.
- Airflow stumbles over one member that is not its own: such JSON is taken apart and made anew.
- JSON that somebody broke is no password. One that begins like JSON has to be declared: `format` in the note.
  So has one that would be a connection's JSON but for its beginning; its symbols alone refuse none.
- The mark that some editors put before a text is no part of JSON or URI.
- What a value does not tell (`conn_type`, host …) comes from the block in the secret's note. Their extras are
  one: the note's, then the value's other members, then the value's own extra.
- No message repeats any part of a value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bitwarden_vault.backend.connection_uri import is_uri, misread
from bitwarden_vault.errors import VaultError
from bitwarden_vault.json_members import is_whole

NOTE_FIELDS = ("conn_type", "login", "host", "port", "schema", "extra")
"""What a note's block may say of a connection; `extra` is a JSON object as text."""
_ALIASES = {
    "login": ("login", "username", "user"),
    "password": ("password",),
    "host": ("host",),
    "port": ("port",),
    "schema": ("schema", "dbname", "database"),
    "conn_type": ("conn_type",),
    "description": ("description",),
}
_OWN = frozenset({*_ALIASES, "extra"})
"""The members of Airflow's own JSON."""
_AWS = ("aws_access_key_id", "aws_secret_access_key")
_AWS_ALIASES = {
    "login": _AWS[:1],
    "password": _AWS[1:],
    "conn_type": ("conn_type",),
    "description": ("description",),
}
_NAMES = frozenset({*_OWN, *_AWS}.union(*_ALIASES.values()))
_MARK = "\ufeff"
_BEGINNINGS = ("{", '{"', '{"": "')
"""What a person who copies JSON misses: its brace, a part of its first name or of its first value."""
_BLOCK = "`bitwarden-vault` block"
_MEND_BLOCK = (
    f", and the {_BLOCK} of its note cannot be read: between its fences belongs one JSON object whose values "
    "are texts in quotes"
)
_HIGHEST_PORT = 65535


class NoConnection(VaultError):
    """The value cannot be read as a connection."""

    kind = "no_connection"


def connection_text(value: str, note: str) -> str:
    """Airflow's JSON or URI. Raises: NoConnection."""
    text = _unmarked(value.strip())
    if wrong := misread(text):
        raise NoConnection(wrong)
    if is_uri(text):
        return text
    try:
        return _json(value, text, note)
    except RecursionError:
        raise NoConnection("its JSON is nested too deeply") from None


def _unmarked(text: str) -> str:
    """A password keeps its mark."""
    rest = text.removeprefix(_MARK).strip()
    return rest if rest.startswith("{") or is_uri(rest) or misread(rest) else text


def _json(value: str, text: str, note: str) -> str:
    fields = _object(text)
    if fields is None and text.startswith("{"):
        _bare(f"begins with {{ and is no JSON object{_where_broken(text)}", note)
    elif fields is None and _has_lost_its_beginning(text):
        _bare("is a JSON object that has lost its beginning: write it again from its first { on", note)
    found: dict[str, Any] = {"password": value} if fields is None else _read(fields)
    if fields is not None and _is_airflows(fields):
        return text
    told = _told_by(note)
    made = {**told, **found}
    if extra := {**told.get("extra", {}), **found.get("extra", {})}:
        made["extra"] = _whole(extra)
    if not made.get("conn_type"):
        raise NoConnection(f"its value does not tell what kind of connection it is{_where_to_tell(note)}")
    return json.dumps(made)


def _object(text: str) -> dict[str, Any] | None:
    """A JSON object; None where it is none."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _has_lost_its_beginning(text: str) -> bool:
    """Whether it is JSON of a connection with something in front of it: no password is, by chance."""
    if not text.endswith("}"):
        return False
    rest = text.removeprefix(_MARK).strip()
    found = (_object(beginning + rest) for beginning in _BEGINNINGS)
    return any(one is not None and not _NAMES.isdisjoint(one) for one in found)


def _bare(like: str, note: str) -> None:
    """It is like JSON, and the note has to say that it is a password. Raises: NoConnection."""
    from bitwarden_vault.formats import BARE, FORMAT_FIELD  # noqa: PLC0415 - few values come here
    from bitwarden_vault.note import read_note  # noqa: PLC0415 - as above

    block = read_note(note)
    if block is not None and block.fields.get(FORMAT_FIELD) == BARE:
        return
    declare = f'; if all of it is a password, write "{FORMAT_FIELD}": "{BARE}" into the {_BLOCK} of its note'
    if _is_unreadable(note):
        declare = _MEND_BLOCK
    raise NoConnection(f"its value {like}{declare}")


def _where_broken(text: str) -> str:
    """The reader's own words may quote it."""
    try:
        json.loads(text)
    except json.JSONDecodeError as wrong:
        return f" (it breaks in line {wrong.lineno}, column {wrong.colno})"
    except ValueError:
        return " (a number in it has too many digits)"
    return ""


def _is_airflows(fields: Mapping[str, Any]) -> bool:
    """Whether Airflow reads it as it is; what is in it was looked at before."""
    texts = (fields.get(name) for name in _OWN - {"port", "extra"})
    return bool(fields.get("conn_type")) and fields.keys() <= _OWN and not any(map(_is_number, texts))


def _told_by(note: str) -> dict[str, Any]:
    if not note:
        return {}
    from bitwarden_vault.note import read_note  # noqa: PLC0415 - most values tell all themselves

    block = read_note(note)
    told: dict[str, Any] = {}
    if block is not None:
        told = {name: block.fields[name] for name in NOTE_FIELDS if name in block.fields}
    if told.get("port"):
        told["port"] = _port(told["port"], "the port in its note's block")
    if "extra" in told:
        told["extra"] = _extra(told["extra"], "the extra in its note's block")
    return told


def _is_unreadable(note: str) -> bool:
    from bitwarden_vault.note import FENCE, read_note  # noqa: PLC0415 - as above

    return FENCE in note and read_note(note) is None


def _where_to_tell(note: str) -> str:
    if _is_unreadable(note):
        return _MEND_BLOCK
    return f': add "conn_type" to its JSON, or to the {_BLOCK} of its note'


def _read(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Names that we and others use for the same; the rest goes where Airflow keeps such things."""
    is_aws = any(name in fields for name in _AWS)
    made: dict[str, Any] = {"conn_type": "aws"} if is_aws else {}
    used = {"extra"}
    for name, aliases in (_AWS_ALIASES if is_aws else _ALIASES).items():
        alias = next((one for one in aliases if fields.get(one) not in (None, "")), None)
        if alias:
            told, place = fields[alias], f"its {alias}"
            made[name] = _port(told, place) if name == "port" else _text(told, place)
        used.update(aliases)
    rest = {name: told for name, told in fields.items() if name not in used}
    if extra := {**rest, **_extra(fields.get("extra"), "its extra")}:
        made["extra"] = extra
    return _whole(made)


def _extra(told: object, place: str) -> dict[str, Any]:
    """An object, or one as text, which is how Airflow writes it."""
    if told in (None, ""):
        return {}
    found = _object(told.strip()) if isinstance(told, str) else told
    if not isinstance(found, dict):
        raise NoConnection(f"{place} is not a JSON object")
    return found


def _whole(found: dict[str, Any]) -> dict[str, Any]:
    """As it is; Airflow fails later over halves of characters, when it makes a URI of the connection."""
    if not is_whole(json.dumps(found, ensure_ascii=False)):
        raise NoConnection("it holds half a character (a \\ud8… or \\udc… escape)")
    return found


def _text(told: object, place: str) -> str:
    if not isinstance(told, str) and not _is_number(told):
        raise NoConnection(f"{place} is neither a text nor a whole number: write it in quotes")
    return str(told)


def _port(told: object, place: str) -> int:
    text = _text(told, place).strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and int(text) <= _HIGHEST_PORT):  # noqa: PLR2004 - more digits than any port has
        raise NoConnection(f"{place} is not a number from 1 to {_HIGHEST_PORT}")
    return int(text)


def _is_number(told: object) -> bool:
    """A whole one: of others JSON's readers keep no digits (`1.10`)."""
    return isinstance(told, int) and not isinstance(told, bool)
