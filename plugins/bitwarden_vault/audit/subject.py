"""What an audit line says of a request: which secrets, and who claims to ask. Never a value.

Rules this file keeps:
- Only ids, keys and counts are taken, each by its name: what is added to an answer later does not get in.
- A name that matched nothing is shortened, for people paste passwords into the wrong place. What its asker
  put before it by configuration (a prefix, a team) is shown, so that a typing error or a probe is recognised.
"""

from __future__ import annotations

from collections.abc import Mapping

from bitwarden_vault.access_token import UUID
from bitwarden_vault.errors import Ambiguous
from bitwarden_vault.operations import LOOK_UP
from bitwarden_vault.untyped import Any
from bitwarden_vault.wire import Message

LONGEST_KEY = 500
MOST_NAMED = 1000
"""Secrets in one line; our clients ask for 500 at once."""
_LONGEST_CLAIM = 250
_MOST_DIGITS = 9
_TELLING = 12
"""Characters from which on the first three do not give away what follows."""
_CLAIMS = {
    "dag_id": "dag",
    "task_id": "task",
    "run_id": "run",
    "try_number": "try",
    "team": "team",
    "user": "user",
}


def shortened(text: object) -> str:
    """Enough to recognise one's own typing error, and no more."""
    if not isinstance(text, str):
        return "(no text)"
    return f"{text[:3] if len(text) >= _TELLING else ''}… ({len(text)} characters)"


def claims(caller: object) -> Message:
    """Who asks, as the asking process itself says."""
    if not isinstance(caller, Mapping):
        return {}
    said = {short: caller.get(name) for name, short in _CLAIMS.items()}
    said["try"] = whole_number(said["try"])
    return {
        short: value if isinstance(value, int) else str(value)[:_LONGEST_CLAIM]
        for short, value in said.items()
        if value
    }


def whole_number(said: object) -> int:
    """The number that somebody claims; 0 where it is none, for a claim may be any text."""
    if isinstance(said, str) and said.isdecimal() and len(said) <= _MOST_DIGITS:
        return int(said)
    return said if isinstance(said, int) else 0


def subject(operation: str, arguments: object, answer: Message) -> Message:
    """The secrets that a request is about, from its answer, or else from what was asked."""
    result = answer.get("result")
    if isinstance(result, dict) and "key" in result:
        return {"secrets": [_named(result)], "project": result.get("project_id")}
    if operation == "get_secrets" and isinstance(result, list):
        return _some([_named(one) for one in result[:MOST_NAMED]], len(result))
    if operation.startswith("list_"):
        return {"count": len(result)} if isinstance(result, list) else {}
    return _asked(operation, arguments, answer) if isinstance(arguments, Mapping) else {}


def _asked(operation: str, arguments: Mapping[str, Any], answer: Message) -> Message:
    if operation == LOOK_UP:
        several = answer.get("error", {}).get("kind") == Ambiguous.kind
        key, start = arguments.get("key"), arguments.get("start")
        return {"secrets": [{"key": key_shown(key) if several else _missed(key, start)}]}
    if "ids" in arguments and isinstance(arguments["ids"], list):
        return _some([{"id": _id(one)} for one in arguments["ids"][:MOST_NAMED]], len(arguments["ids"]))
    asked = {}
    if "id" in arguments:
        asked["id"] = _id(arguments["id"])
    if "key" in arguments:
        asked["key"] = key_shown(arguments["key"])
    said: Message = {"secrets": [asked]} if asked else {}
    if "project_id" in arguments:
        said["project"] = _id(arguments["project_id"])
    return said


def _missed(key: object, start: object) -> str:
    """A name that nothing has, behind what its asker put before it by configuration."""
    if not isinstance(key, str) or not isinstance(start, str) or not key.startswith(start):
        return shortened(key)
    return f"{start[:_LONGEST_CLAIM]}{shortened(key[len(start) :])}"


def _some(named: list[Message], count: int) -> Message:
    return {"secrets": named, "count": count} if count > len(named) else {"secrets": named}


def _named(secret: Mapping[str, Any]) -> Message:
    return {"id": secret.get("id"), "key": secret.get("key")}


def _id(text: object) -> str:
    return text.lower() if isinstance(text, str) and UUID.fullmatch(text) else shortened(text)


def key_shown(text: object) -> str:
    """A secret's name as the trail has it."""
    return text if isinstance(text, str) and len(text) <= LONGEST_KEY else shortened(text)
