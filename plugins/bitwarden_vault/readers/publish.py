"""`launch.py publish`: a process that writes one agent's document of readers into the shared folder.

It is a process of its own because a disk may hang and an object store's libraries are heavy: the agent waits
for neither, and ends it at a deadline.

Rules this file keeps:
- What agents of this host left that are dead is taken over first: their readers that live go into this
  document before theirs is removed.
- So is that there were more readers than it had room for.
- A reader that cannot be understood is nobody's to take over. It stays where it is, alone and told, until its
  process is seen to have ended, this host has started anew, or a week is over.
- A document that cannot be read is told, and keeps nobody else's readers from being published.
- Nothing but answers leaves it, through the descriptor by which the order came. What was taken over is said
  before anything is removed: the agent may end this process at any moment, and has to know it.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from bitwarden_vault.readers.document import (
    FOLDER,
    KEPT_FOR,
    SILENT_AFTER,
    Reader,
    ReaderDocument,
    entry_of,
    process_of,
    read_document,
    unclear_readers,
)
from bitwarden_vault.readers.last_used import FOLDER as LAST_USED
from bitwarden_vault.readers.processes import started_at
from bitwarden_vault.state_folder import StateFolder, StateUnavailable

ORDER = 0
"""The descriptor of a file in memory: the order, and then the answer."""

LATE = 65.0
"""Seconds; the agent itself ends this process earlier."""


@dataclass(frozen=True, slots=True)
class _Left:
    """A document that a dead agent of this host has left."""

    name: str
    raw: dict[str, Any]
    living: tuple[Reader, ...]
    unclear: tuple[object, ...]
    """Readers that are not understood, and that may live."""
    until: datetime
    left_out: int = 0
    """Readers that it had no room for, as long as one lives whom it knew."""


def carry_out(order: dict[str, Any], say: Callable[[dict[str, Any]], object]) -> None:
    """Take over, write, remove; says what was taken over, what nobody understands, and what went wrong."""
    folder, document, name = StateFolder(order["path"]), order["document"], order["name"]
    taken: list[dict[str, Any]] = []
    unclear: list[str] = []
    left_out = 0
    try:
        left = _left_by_the_dead(folder, document, name, unclear.append)
        for found in left:
            taken += map(entry_of, found.living)
        left_out = max((found.left_out for found in left), default=0)
        everything = {
            **document,
            "readers": [*document["readers"], *taken],
            "left_out": max(document["left_out"], left_out),  # never the sum: what is tried again is the same
        }
        if everything["readers"] or everything["left_out"]:
            folder.write(name, everything)
        elif order["is_there"]:
            folder.remove(name)
        if taken:
            say({"taken": taken, "left_out": left_out, "unclear": [], "trouble": None})
        for found in left:
            _clear(folder, found)
        unclear += [_told(found) for found in left if found.unclear]
        for use in order.get("uses", ()):
            folder.write(f"{LAST_USED}/{use['secret']}", use)
    except StateUnavailable as trouble:
        say({"taken": taken, "left_out": left_out, "unclear": unclear, "trouble": str(trouble)})
    else:
        say({"taken": taken, "left_out": left_out, "unclear": unclear, "trouble": ""})


def _left_by_the_dead(
    folder: StateFolder, document: dict[str, Any], name: str, tell: Callable[[str], object]
) -> list[_Left]:
    found = []
    for one in folder.names(FOLDER):
        if one != name and one.startswith(f"{FOLDER}/{document['host']}-"):
            try:
                raw = folder.read(one)
            except StateUnavailable as trouble:
                tell(str(trouble))
                continue
            other = read_document(raw)
            if raw is not None and other is not None and other.host == document["host"]:
                found += [_what_lives(one, raw, other, document)] if _is_over(other, document) else []
    return found


def _what_lives(name: str, raw: dict[str, Any], other: ReaderDocument, document: dict[str, Any]) -> _Left:
    now = datetime.now(timezone.utc)
    until = min(other.written, now) + KEPT_FOR  # no calendar has a week after its last day
    if not _is_here(other, document):
        return _Left(name, raw, (), (), until)  # that boot or container is over, and all that was in it
    is_in_time = now <= until
    living = tuple(one for one in other.readers if _lives(one))
    return _Left(
        name,
        raw,
        living,
        tuple(one for one in other.unclear if is_in_time and _may_live(one)),
        until,
        other.left_out if living else 0,
    )


def _clear(folder: StateFolder, found: _Left) -> None:
    """Of what was left, only what nobody understands stays; when it was written stays too."""
    if not found.unclear:
        folder.remove(found.name)
    elif len(found.unclear) < len(found.raw["readers"]):
        folder.write(found.name, {**found.raw, "readers": list(found.unclear)})


def _told(found: _Left) -> str:
    return (
        f"{unclear_readers(found.unclear)} in {found.name}, whose agent is dead, cannot be understood: kept "
        f"until they end or this host starts anew, at most until {found.until:%Y-%m-%d %H:%M} UTC"
    )


def _is_here(other: ReaderDocument, document: dict[str, Any]) -> bool:
    """Whether its pids mean our processes."""
    return (other.boot, other.numbers) == (document["boot"], document["numbers"])


def _is_over(other: ReaderDocument, document: dict[str, Any]) -> bool:
    """Its agent is dead; of another boot or container of this name silence tells that all of it has ended."""
    if _is_here(other, document):
        return started_at(other.agent) != other.agent_started
    return datetime.now(timezone.utc) - other.written > SILENT_AFTER


def _lives(reader: Reader) -> bool:
    return not reader.pid or started_at(reader.pid) == reader.started


def _may_live(unclear: object) -> bool:
    process = process_of(unclear)
    return process is None or started_at(process[0]) == process[1]


def main() -> None:
    """Carry out the one order."""
    signal.setitimer(signal.ITIMER_REAL, LATE)  # its default action ends us, also where the agent is gone
    os.umask(0o007)
    with os.fdopen(ORDER, "r+b") as file:
        order = json.loads(file.read())
        os.environ.update(order["environ"])  # here, because what a process is started with shows in /proc
        file.seek(0)
        file.truncate()

        def say(answer: dict[str, Any]) -> None:
            file.write(f"{json.dumps(answer)}\n".encode())
            file.flush()

        carry_out(order, say)
    os._exit(0)
