"""What is let be for a while: each with a reason, an owner and its last day, after which it is told again.

Rules this file keeps:
- An exception without reason, owner or end is a mistake, and no exception.
- On its last day it still holds; from the next one on it is expired, by UTC.
- Patterns match whole names, and `*` is all that they know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

from credential_rotation.errors import BadInput
from credential_rotation.inventory.schemas import EXCEPTIONS, refusals
from credential_rotation.inventory.words import in_words
from credential_rotation.inventory.yaml_text import Document, Mistake, Odd, Value, read_yaml
from credential_rotation.model import Credential

FILE = "exceptions.yaml"


@dataclass(frozen=True, slots=True)
class LetBe:
    """One exception."""

    reason: str
    owner: str
    until: date
    source: str
    """File and line."""
    credential: str = ""
    engine: str = ""
    principal: str = ""
    where: str = "*"

    @property
    def what(self) -> str:
        """What it is about, in few words."""
        if self.credential:
            return self.credential
        place = "" if self.where == "*" else f" at {self.where}"
        return f"{self.engine} {self.principal}{place}"

    def has_expired(self, now: datetime) -> bool:
        """Whether its last day is over."""
        return now.date() > self.until

    def covers(self, engine: str, principal: str, where: str) -> bool:
        """Whether it is about this login."""
        return self.engine == engine and _is_like(principal, self.principal) and _is_like(where, self.where)

    def is_about(self, credential: Credential) -> bool:
        """Whether it is about this entry, by its name or by a principal of it."""
        if self.credential:
            return self.credential == credential.name
        return any(self.covers(credential.engine, one, place_of(credential)) for one in credential.principals)

    def as_dict(self) -> dict[str, str]:
        """For people and programs."""
        told = {"reason": self.reason, "owner": self.owner, "until": self.until.isoformat()}
        return {"what": self.what, **told, "source": self.source}


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Those of a file, and what is wrong with it."""

    let_be: tuple[LetBe, ...] = ()
    mistakes: tuple[str, ...] = ()

    def expired(self, now: datetime) -> tuple[LetBe, ...]:
        """Those that no longer hold."""
        return tuple(one for one in self.let_be if one.has_expired(now))


def load_exceptions(include: Path, file: Path | None = None) -> Exceptions:
    """The exceptions of this deployment, or of a file that somebody names. Raises: BadInput."""
    path = file or include / FILE
    if file is None and not path.exists():
        return Exceptions()
    try:
        raw = path.read_bytes()
    except OSError as wrong:
        raise BadInput(
            f"{path} cannot be read: {wrong.strerror}", next_step="Name a file that can."
        ) from None
    return read_exceptions(read_yaml(raw, f"{path.parent.name}/{path.name}"))


def read_exceptions(document: Document) -> Exceptions:
    """All that make sense, and all mistakes."""
    plain = _with_dates(document.value)
    mistakes = list(document.mistakes)
    if plain is not None:
        mistakes += in_words(document, refusals(EXCEPTIONS, plain))
    listed = plain.get("exceptions") if isinstance(plain, dict) else None
    found = []
    for place, raw in enumerate(listed if isinstance(listed, list) else []):
        path = ("exceptions", place)
        if any(mistake.path[:2] == path for mistake in mistakes) or not isinstance(raw, dict):
            continue
        one = _let_be(raw, f"{document.file}:{document.line(path)}")
        if one is None:
            line = document.line((*path, "until"))
            mistakes.append(Mistake(path, line, f"until {raw['until']!r} is no day of the calendar"))
        else:
            found.append(one)
    return Exceptions(tuple(found), tuple(f"{document.file}:{one.line}: {one.message}" for one in mistakes))


def _let_be(raw: Mapping[str, Value], source: str) -> LetBe | None:
    try:
        until = date.fromisoformat(str(raw["until"]))
    except ValueError:
        return None
    texts = {name: str(raw[name]) for name in ("credential", "engine", "principal", "where") if name in raw}
    made = LetBe(str(raw["reason"]), str(raw["owner"]), until, source)
    return replace(made, **cast("dict[str, Any]", texts))


def _with_dates(value: Value) -> Value:
    """YAML reads `2026-12-31` as a date, and a date is what is wanted."""
    if isinstance(value, Odd) and value.kind == "a date":
        return value.text
    if isinstance(value, dict):
        return {name: _with_dates(one) if name == "until" else _deeper(one) for name, one in value.items()}
    return _deeper(value)


def _deeper(value: Value) -> Value:
    if isinstance(value, dict):
        return _with_dates(value)
    return [_deeper(one) for one in value] if isinstance(value, list) else value


def _is_like(text: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def place_of(credential: Credential) -> str:
    """Host and port; empty where the target is an account, which entries do not name."""
    port = credential.target.settings.get("port", "5432")
    return f"{credential.target.host}:{port}" if credential.target.host else ""


def about(let_be: Iterable[LetBe], credential: Credential) -> Sequence[LetBe]:
    """Those about one entry."""
    return [one for one in let_be if one.is_about(credential)]
