"""Which living process of this host read which version of which secret: what one agent knows.

Rules this file keeps:
- Only processes that live are of interest. A secret whose note names no version (`epoch`) may be adopted as
  the first one at any time, so who reads it counts; those that name one have half the room to themselves.
- A process keeps the oldest version that it read until it ends: whether it has let go of it, nobody can see.
- Bounded; for whom there was no room is counted and told.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from bitwarden_vault.audit.subject import claims, key_shown
from bitwarden_vault.note import FENCE, read_note
from bitwarden_vault.readers.last_used import LastUsed
from bitwarden_vault.readers.processes import program, started_at

VERSION_FIELD = "epoch"
MOST_READERS = 5_000
MOST_DIGITS = 9
BEFORE_THE_FIRST = 0
"""The version that a value gets which was there before the rotation."""
UNSEEN_FOR = 2 * 24 * 3600.0
"""Seconds after which a reader is let go whose process cannot be seen."""

Entry = dict[str, Any]
_Place = tuple[object, ...]


def version_of(secret: Mapping[str, Any]) -> int | None:
    """The version that this secret's note names."""
    note = secret.get("note")
    if not isinstance(note, str) or FENCE not in note:
        return None
    block = read_note(note)
    told = block.fields.get(VERSION_FIELD, "") if block else ""
    return int(told) if told.isascii() and told.isdecimal() and len(told) <= MOST_DIGITS else None


class ReaderTable:
    """Readers by process and secret."""

    def __init__(self) -> None:
        self._kept: dict[_Place, Entry] = {}
        self.uses = LastUsed()
        self.left_out = 0
        self.has_changed = False

    def __len__(self) -> int:
        """How many readers."""
        return len(self._kept)

    def note(
        self, secret: Mapping[str, Any], version: int | None, pid: int, caller: Mapping[str, Any]
    ) -> None:
        """This process was just given this version of this secret; None where it names none."""
        room = MOST_READERS
        if version is None:
            version, room = BEFORE_THE_FIRST, MOST_READERS // 2
        else:
            self.has_changed |= self.uses.note(secret, caller)
        started = started_at(pid) if pid else 0
        if started is None:
            return
        said = {**claims(caller), **({"hands_on": True} if caller.get("hands_on") is True else {})}
        place = self._place(pid, started, str(secret["id"]).lower(), said)
        entry = self._kept.get(place)
        if entry is None:
            self._add(place, {**_entry(secret, version, pid, started), **said}, room)
            return
        entry["last"] = _now()
        before = entry["version"], entry["newest"], entry.get("dag")
        entry["version"], entry["newest"] = min(entry["version"], version), max(entry["newest"], version)
        if not said.get("hands_on"):
            entry.pop("hands_on", None)
        entry |= {name: text for name, text in said.items() if not entry.get(name) and name != "hands_on"}
        self.has_changed |= before != (entry["version"], entry["newest"], entry.get("dag"))

    def take_over(self, entries: Iterable[Entry], left_out: int) -> None:
        """Readers that another agent of this host knew, and that live; and for how many it had no room."""
        self.left_out = max(self.left_out, left_out)
        for entry in entries:
            place = self._place(entry["pid"], entry["started"], entry["secret"], entry)
            known = self._kept.get(place)
            if known is None:
                self._add(place, entry, MOST_READERS)
            else:
                known["version"] = min(known["version"], entry["version"])
                known["first"] = min(known["first"], entry["first"])

    def prune(self) -> None:
        """Let go of whoever has ended."""
        oldest = _written(time.time() - UNSEEN_FOR)
        living = {pid: started_at(pid) for pid in {entry["pid"] for entry in self._kept.values()} if pid}
        for place, entry in list(self._kept.items()):
            pid = entry["pid"]
            if living.get(pid) != entry["started"] if pid else entry["last"] < oldest:
                del self._kept[place]
                self.has_changed = True
        if not self._kept:
            self.left_out = 0

    def entries(self) -> list[Entry]:
        """All readers, as the document has them."""
        return list(self._kept.values())

    def _add(self, place: _Place, entry: Entry, room: int) -> None:
        self.has_changed = True
        if len(self._kept) >= room:
            self.left_out += 1
            return
        self._kept[place] = entry

    def _place(self, pid: int, started: int, secret: str, said: Mapping[str, Any]) -> _Place:
        """Whom we cannot see by its number is told apart by what it says."""
        unseen = () if pid else tuple(said.get(name, "") for name in ("dag", "task", "run", "try", "user"))
        return (pid, started, secret, *unseen)


def _entry(secret: Mapping[str, Any], version: int, pid: int, started: int) -> Entry:
    now = _now()
    return {
        "pid": pid,
        "started": started,
        "program": program(pid) if pid else "",
        "secret": str(secret["id"]).lower(),
        "key": key_shown(secret.get("key")),
        "project": str(secret.get("project_id") or "").lower(),
        "version": version,
        "newest": version,
        "first": now,
        "last": now,
    }


def _now() -> str:
    return _written(time.time())


def _written(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(moment))
