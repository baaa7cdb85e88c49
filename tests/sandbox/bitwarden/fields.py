"""What a request body must look like: required fields, EncStrings, their length limits, ids.

Lengths are those of the EncString; the real server cannot see the text behind it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sandbox.bitwarden.messages import invalid

SECRET_LIMITS: Mapping[str, int] = {"key": 1000, "value": 35_000, "note": 10_000}
PROJECT_LIMITS: Mapping[str, int] = {"name": 1000}
_B64 = r"[A-Za-z0-9+/]+={0,2}"
_ENC_STRING = re.compile(rf"2\.{_B64}\|{_B64}\|{_B64}")


def json_body(body: bytes) -> Any:  # noqa: ANN401  # any JSON
    """The parsed body, or 400."""
    try:
        return json.loads(body)
    except ValueError:
        raise invalid({"$": ["The JSON value could not be converted."]}) from None


def enc_strings(body: object, limits: Mapping[str, int]) -> dict[str, str]:
    """The named fields, all of them EncStrings within their limits, or 400 with every mistake."""
    given: Mapping[str, object] = body if isinstance(body, dict) else {}
    mistakes = {name.capitalize(): _mistake(name, given.get(name), limit) for name, limit in limits.items()}
    found = {name: [text] for name, text in mistakes.items() if text}
    if found:
        raise invalid(found)
    return {name: str(given[name]) for name in limits}


def _mistake(name: str, value: object, limit: int) -> str | None:
    shown = name.capitalize()
    if not isinstance(value, str) or not value:
        return f"The {shown} field is required."
    if not _ENC_STRING.fullmatch(value):
        return f"{shown} is not a valid encrypted string."
    if len(value) > limit:
        return f"The field {shown} exceeds the maximum encrypted value length of {limit} characters."
    return None


def uuids(values: object, name: str) -> list[str]:
    """A list of ids in canonical form, or 400."""
    if not isinstance(values, list):
        raise invalid({name: ["The JSON value could not be converted."]})
    return [uuid(value, name) for value in values]


def uuid(value: object, name: str) -> str:
    """One id in canonical form, or 400."""
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise invalid({name: [f"The value '{value}' is not valid."]}) from None


def one_project(body: Mapping[str, object]) -> str | None:
    """The single project that a secret may be put in; two are refused with 400."""
    projects = uuids(body.get("projectIds") or [], "ProjectIds")
    if len(projects) > 1:
        raise invalid({"ProjectIds": ["Only one project assignment is supported."]})
    return projects[0] if projects else None
