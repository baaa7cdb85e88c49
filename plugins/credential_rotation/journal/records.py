"""The text of a record: its key in Bitwarden, from which one list tells what is due, and its value.

A record is read by people too, on the day when nothing else runs: its value is plain JSON with named fields.
Key: `rotation/<name>/<epoch, 6 digits>/<UTC>/<attempt>`. An intent ends in `/intent`; the note that a
version's value was made inactive ends in `/ending`, and its UTC is when.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from credential_rotation.model import Secret

SCHEMA = 1
PREFIX = "rotation/"
INTENT, ENDING = "intent", "ending"
LAST_EPOCH = 999_999_999
"""Nine digits are all that keys, notes and stamps have room for."""
_KEY = re.compile(
    r"rotation/(?P<name>[^/]+)/(?P<epoch>[0-9]{6,9})/"
    r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z/"
    r"(?P<attempt>[0-9a-f]+)(?:/(?P<kind>intent|ending))?"
)
_TIME = "%Y%m%dT%H%M%SZ"
_YEARS = range(2000, 3000)
"""No clock of ours was ever outside of them, and a policy's spans still fit behind the last one."""


class UnreadableRecord(ValueError):
    """The value is not a record's. The message never repeats any of it."""


@dataclass(frozen=True, slots=True)
class RecordName:
    """What a record's key tells, without its value."""

    id: str
    name: str
    epoch: int
    written: datetime
    attempt: str
    kind: str = ""
    """`intent` or `ending`; empty for a version's record itself."""

    @property
    def order(self) -> tuple[int, datetime, str]:
        """As `Record.order`."""
        return (self.epoch, self.written, self.attempt)


def key_of(name: str, *, epoch: int, written: datetime, attempt: str, kind: str = "") -> str:
    """The key of one version's record, or of what goes with it."""
    key = f"{PREFIX}{name}/{epoch:06d}/{written.astimezone(timezone.utc).strftime(_TIME)}/{attempt}"
    return f"{key}/{kind}" if kind else key


def read_key(secret_id: str, key: str) -> RecordName | None:
    """The record that this key names; None where it names none."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, found.group(3, 4, 5, 6, 7, 8))
        written = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
    if written.year not in _YEARS:
        return None
    kind = found["kind"] or ""
    return RecordName(secret_id, found["name"], int(found["epoch"]), written, found["attempt"], kind)


def value_of(  # noqa: PLR0913 - each a field of the record
    secret: Secret, *, epoch: int, written: datetime, attempt: str, host: str, revokes: bool = False
) -> str:
    """The value of one version's record."""
    fields: dict[str, object] = {
        "schema": SCHEMA,
        "epoch": epoch,
        "written": written.astimezone(timezone.utc).isoformat(),
        "attempt": attempt,
        "principal": secret.principal,
        "login": secret.login,
        "password": secret.password,
        "host": host,
    }
    return json.dumps(fields | {"revokes": True} if revokes else fields)


def read_value(value: str) -> tuple[Secret, str]:
    """The secret in a record's value, and the host that it is for. Raises: UnreadableRecord."""
    try:
        fields = json.loads(value)
    except (ValueError, RecursionError):
        raise UnreadableRecord("it is not JSON") from None
    if not isinstance(fields, Mapping) or fields.get("schema") != SCHEMA:
        raise UnreadableRecord(f"it is not a record of schema {SCHEMA}")
    principal, password, host = (_text(fields, name) for name in ("principal", "password", "host"))
    login = fields.get("login", "")
    if not isinstance(login, str):
        raise UnreadableRecord("its login is not a text")
    _insist_on_whole(login, "login")
    return Secret(principal, password, login), host


def read_written(value: str, *, key: RecordName) -> datetime:
    """When the version was minted; its key has seconds, and who asked for it may be a part of one older.

    A value that says no time, or another second than its key, is not believed.
    """
    try:
        exact = datetime.fromisoformat(json.loads(value)["written"])
        return exact if exact.replace(microsecond=0) == key.written else key.written
    except (KeyError, TypeError, ValueError):
        return key.written


def read_revokes(value: str) -> bool:
    """Whether a record, which can be read, says that it was made in compromise mode."""
    return json.loads(value).get("revokes") is True


def intent_value(there: tuple[str, ...], written: datetime) -> str:
    """The value of an intent: the keys that were there before, and when."""
    fields = {"schema": SCHEMA, "written": written.astimezone(timezone.utc).isoformat(), "there": list(there)}
    return json.dumps(fields)


def read_intent(value: str) -> tuple[str, ...]:
    """The keys that an intent names. Raises: UnreadableRecord."""
    try:
        fields = json.loads(value)
    except (ValueError, RecursionError):
        raise UnreadableRecord("it is not JSON") from None
    there = fields.get("there") if isinstance(fields, Mapping) else None
    if not isinstance(there, list) or not all(isinstance(login, str) for login in there):
        raise UnreadableRecord("it does not say which keys were there")
    return tuple(there)


def _text(fields: Mapping[str, object], name: str) -> str:
    found = fields.get(name)
    if not isinstance(found, str) or not found:
        raise UnreadableRecord(f"its {name} is missing")
    _insist_on_whole(found, name)
    return found


def _insist_on_whole(text: str, name: str) -> None:
    """JSON's escapes also write halves of characters, which no target can be sent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnreadableRecord(f"its {name} holds half a character") from None
