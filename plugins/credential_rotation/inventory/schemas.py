"""The JSON Schemas of the inventory: what they refuse, and what they know of engines.

Rules this file keeps:
- The schemas that count are those beside this code; `include/schema/` holds the same for editors.
- What an engine can do (strategies, formats, defaults) is said once, in the schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from credential_rotation.inventory.yaml_text import Path
from credential_rotation.model import Strategy

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

CREDENTIALS = "credentials.schema.json"
POLICIES = "policies.schema.json"
EXCEPTIONS = "exceptions.schema.json"
OPTIONS = ("instructions", "owner_role", "password_hashing", "password_symbols", "stamp", "valid_until")
"""The keys of an entry that only its engine understands."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that a value breaks."""

    path: Path
    rule: str
    wanted: Any
    found: Any = field(repr=False)
    known: tuple[str, ...]
    """The keys that a mapping may have here."""
    why: str
    """The schema's own words for it, the same that editors show; "" where it has none."""


@cache
def schema(name: str) -> dict[str, Any]:
    """One of the shipped schemas, with every `$ref` replaced by what it names.

    Written out, ten thousand entries are checked in two thirds of the time.
    """
    plain = _shipped(name)
    written_out = _write_out(plain, plain)
    assert isinstance(written_out, dict)  # noqa: S101  # a schema is an object: said to the type checker
    return written_out


@cache
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow, and a kept inventory is not checked again

    return Draft202012Validator(schema(name))


def refusals(name: str, value: object) -> Iterator[Refusal]:
    """All that a schema refuses, in a fixed order."""
    for error in _validator(name).iter_errors(value):
        around = error.schema if isinstance(error.schema, dict) else {}
        yield Refusal(
            path=tuple(error.absolute_path),
            rule=str(error.validator),
            wanted=error.validator_value,
            found=error.instance,
            known=tuple(sorted(around.get("properties", {}))),
            why=str(around.get("errorMessage", "")),
        )


@cache
def engines() -> tuple[str, ...]:
    """The engines of this version."""
    return tuple(schema(CREDENTIALS)["$defs"]["credential"]["properties"]["engine"]["enum"])


@cache
def default_strategy(engine: str) -> str:
    """The strategy of an entry that names none."""
    return str(_engine(engine)["strategy"].get("default", Strategy.BY_HAND.value))


@cache
def default_settings(engine: str) -> Mapping[str, str]:
    """The settings of a target that names none."""
    settings = _engine(engine)["target"].get("properties", {})
    return {name: str(about["default"]) for name, about in settings.items() if "default" in about}


def _engine(engine: str) -> dict[str, Any]:
    found = schema(CREDENTIALS)["$defs"][engine]["properties"]
    assert isinstance(found, dict)  # noqa: S101  # as above
    return found


def _shipped(name: str) -> dict[str, Any]:
    file = resources.files("credential_rotation") / "schema" / name
    text = file.read_text(encoding="utf-8")
    found = json.loads(text)
    assert isinstance(found, dict)  # noqa: S101  # as above
    return found


def _write_out(part: object, whole: dict[str, Any]) -> object:
    if isinstance(part, list):
        return [_write_out(item, whole) for item in part]
    if not isinstance(part, dict):
        return part
    result = {key: _write_out(value, whole) for key, value in part.items() if key != "$ref"}
    if "$ref" in part:
        file, _, place = part["$ref"].partition("#")
        home = _shipped(file) if file else whole
        named: Any = home
        for step in place.strip("/").split("/"):
            named = named[step]
        meant = _write_out(named, home)
        assert isinstance(meant, dict)  # noqa: S101  # as above
        result = {**meant, **result}
    return result
