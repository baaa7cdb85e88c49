"""A secret's value as Airflow's own connection text, whichever of our formats it is in.

Rules this file keeps:
- What is an Airflow connection already (its JSON, its URI) stays, to the byte.
- What a value does not tell (`conn_type`, host …) comes from the block in the secret's note.
- No message repeats any part of a value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bitwarden_vault.errors import VaultError

NOTE_FIELDS = ("conn_type", "login", "host", "port", "schema", "extra")
"""What a note's block may say of a connection; `extra` is a JSON object as text."""
_ALIASES = {
    "login": ("login", "username", "user"),
    "password": ("password",),
    "host": ("host",),
    "port": ("port",),
    "schema": ("schema", "dbname", "database"),
    "conn_type": ("conn_type",),
}
_AWS = ("aws_access_key_id", "aws_secret_access_key")


class NoConnection(VaultError):
    """The value cannot be read as a connection."""

    kind = "no_connection"


def connection_text(value: str, note: str) -> str:
    """Airflow's JSON or URI. Raises: NoConnection."""
    text = value.strip()
    if _is_uri(text):
        return text
    fields = _object(text)
    if fields is not None and "conn_type" in fields:
        return text
    told = _told_by(note)
    if fields is None:
        found: dict[str, Any] = {"password": value}
    elif any(name in fields for name in _AWS):
        found = _aws(fields)
    else:
        found = _login(fields)
    made = {**_with_extra(told), **found}
    if not made.get("conn_type"):
        raise NoConnection(
            'its value does not tell what kind of connection it is: add "conn_type" to its JSON, or to the '
            "`bitwarden-vault` block of its note"
        )
    return json.dumps(made)


def _is_uri(text: str) -> bool:
    """`conn-type://…`; a password may hold `://` too, but not after such a word and without a blank."""
    word, separator, rest = text.partition("://")
    is_word = word[:1].isalpha() and word.isascii() and word.replace("-", "").replace("_", "").isalnum()
    return bool(separator) and is_word and not any(character.isspace() for character in rest)


def _object(text: str) -> dict[str, Any] | None:
    """A JSON object; None where it is none, which then is a bare password."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _told_by(note: str) -> dict[str, str]:
    if not note:
        return {}
    from bitwarden_vault.note import read_note  # noqa: PLC0415 - most values tell all themselves

    block = read_note(note)
    return {name: block.fields[name] for name in NOTE_FIELDS if name in block.fields} if block else {}


def _aws(fields: Mapping[str, Any]) -> dict[str, Any]:
    extra = {name: told for name, told in fields.items() if name not in _AWS}
    made = {"conn_type": "aws", "login": fields.get(_AWS[0]), "password": fields.get(_AWS[1])}
    return {**made, "extra": extra} if extra else made


def _login(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Names that we and others use for the same; the rest goes where Airflow keeps such things."""
    made: dict[str, Any] = {}
    used = {"extra"}
    for name, aliases in _ALIASES.items():
        alias = next((one for one in aliases if fields.get(one) not in (None, "")), None)
        if alias:
            made[name] = fields[alias]
        used.update(aliases)
    extra = fields.get("extra")
    rest = {name: told for name, told in fields.items() if name not in used}
    if isinstance(extra, dict):
        rest = {**rest, **extra}
    if rest:
        made["extra"] = rest
    return made


def _with_extra(told: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = dict(told)
    if "extra" in told:
        extra = _object(told["extra"])
        if extra is None:
            raise NoConnection("`extra` in its note's block is not a JSON object")
        made["extra"] = extra
    return made
