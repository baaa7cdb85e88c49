"""`launch.py publish`: a process that writes one agent's document of readers into the shared folder.

It is a process of its own because a disk may hang and an object store's libraries are heavy: the agent waits
for neither, and ends it at a deadline.

Rules this file keeps:
- What agents of this host left that are dead is taken over first: their readers that live go into this
  document before theirs is removed.
- Nothing but the answer leaves it, through the descriptor by which the order came.
"""

from __future__ import annotations

import json
import os
import signal
from datetime import datetime, timezone
from typing import Any

from bitwarden_vault.readers.document import (
    FOLDER,
    SILENT_AFTER,
    Reader,
    ReaderDocument,
    entry_of,
    read_document,
)
from bitwarden_vault.readers.last_used import FOLDER as LAST_USED
from bitwarden_vault.readers.processes import started_at
from bitwarden_vault.state_folder import StateFolder, StateUnavailable

ORDER = 0
"""The descriptor of a file in memory: the order, and then the answer."""

LATE = 65.0
"""Seconds; the agent itself ends this process earlier."""


def carry_out(order: dict[str, Any]) -> dict[str, Any]:
    """Take over, write, remove; what was taken over and what went wrong."""
    folder, document, name = StateFolder(order["path"]), order["document"], order["name"]
    taken: list[dict[str, Any]] = []
    try:
        over = _left_by_the_dead(folder, document, name)
        for found in over.values():
            living = [one for one in found.readers if _is_here(found, document) and _lives(one)]
            taken += map(entry_of, living)
        everything = {**document, "readers": [*document["readers"], *taken]}
        if everything["readers"] or everything["left_out"]:
            folder.write(name, everything)
        elif order["is_there"]:
            folder.remove(name)
        for one in over:
            folder.remove(one)
        for use in order.get("uses", ()):
            folder.write(f"{LAST_USED}/{use['secret']}", use)
    except StateUnavailable as trouble:
        return {"taken": taken, "trouble": str(trouble)}
    return {"taken": taken, "trouble": ""}


def _left_by_the_dead(folder: StateFolder, document: dict[str, Any], name: str) -> dict[str, ReaderDocument]:
    found = {}
    for one in folder.names(FOLDER):
        if one != name and one.startswith(f"{FOLDER}/{document['host']}-"):
            other = read_document(folder.read(one))
            if other is None or other.host != document["host"] or other.unclear:
                continue  # who is not clear would be forgotten in silence
            if _is_over(other, document):
                found[one] = other
    return found


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


def main() -> None:
    """Carry out the one order."""
    signal.setitimer(signal.ITIMER_REAL, LATE)  # its default action ends us, also where the agent is gone
    os.umask(0o007)
    with os.fdopen(ORDER, "r+b") as file:
        order = json.loads(file.read())
        os.environ.update(order["environ"])  # here, because what a process is started with shows in /proc
        answer = carry_out(order)
        file.seek(0)
        file.truncate()
        file.write(json.dumps(answer).encode())
        file.flush()
    os._exit(0)
