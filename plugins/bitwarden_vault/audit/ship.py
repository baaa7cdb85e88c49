"""`python -m bitwarden_vault audit ship TO`: copy closed segments to an object store, or any other folder.

Rules this file keeps:
- A segment is created there once, when nothing will be added to it any more; never written over.
- Checkpoints are read before the segments and go after them: all but the segment that a checkpoint names as
  the one being written is there (`audit verify --shipped`).
- A process of its own, with fsspec's file systems, which the agent has not.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bitwarden_vault.audit.line import read
from bitwarden_vault.audit.places import CHECKPOINT, SEGMENT, is_held, parse_segment_name
from bitwarden_vault.audit.segments import MOST_SECONDS
from bitwarden_vault.errors import Misconfigured

_ON_THIS_HOST = frozenset({"", "file", "local"})
"""What fsspec's paths call it, those of Airflow 3.1 too, where every path is an `os.PathLike`."""
CLOSED_AFTER = MOST_SECONDS + 60.0
"""Seconds without a line: to a segment that was begun longer ago than `MOST_SECONDS` nothing is added but
what waits for a full disk, and then it is held."""


@dataclass(slots=True)
class Shipped:
    """What one run did."""

    copied: list[str]
    there: list[str]
    """Were there already, as they are here."""
    differ: list[str]
    """Are there with another content, and were left alone."""
    left: list[str]
    """Are still being written."""


def ship(path: str, checkpoints: str, to: str, now: float | None = None) -> Shipped:
    """Copy what is closed. Raises: Misconfigured (nothing to copy with), OSError."""
    target = folder_at(to)
    covers = {
        name.removesuffix(CHECKPOINT): _bytes(f"{checkpoints}/{name}")
        for name in _names(checkpoints, CHECKPOINT)
    }
    done = Shipped([], [], [], [])
    segments = [(name, parsed) for name in _names(path, SEGMENT) if (parsed := parse_segment_name(name))]
    newest = {agent: number for _, (agent, number) in segments}  # sorted: the last one stays
    for name, (agent, number) in segments:
        ended = (read(covers.get(agent, b"")) or {}).get("ended") is True
        is_old = (now or time.time()) - os.stat(f"{path}/{name}").st_mtime > CLOSED_AFTER  # noqa: PTH116 - as everywhere in this package
        if number < newest[agent] or ended or (is_old and not is_held(f"{path}/{name}")):
            _create(target / name, _bytes(f"{path}/{name}"), name, done)
        else:
            done.left.append(name)
    for agent, raw in covers.items():
        place = target / "checkpoints" / f"{agent}{CHECKPOINT}"
        place.parent.mkdir(parents=True, exist_ok=True)
        _put(place, raw)
    return done


def folder_at(to: str) -> Any:  # noqa: ANN401 - fsspec's paths
    """A path in whatever store. Raises: Misconfigured."""
    try:
        from upath import UPath  # noqa: PLC0415 - comes with Airflow; nothing else here needs it
    except ImportError:
        raise Misconfigured("universal-pathlib is not installed here: use Airflow's own Python") from None
    try:
        return UPath(to)
    except (ImportError, ValueError) as wrong:
        raise Misconfigured(f"{to!r} cannot be written to from here: {wrong}") from None


def show(done: Shipped) -> int:
    """Say what was done; the exit code."""
    said = {name: getattr(done, name) for name in ("copied", "there", "differ", "left")}
    sys.stdout.write(json.dumps(said) + "\n")
    return 1 if done.differ else 0


def _create(place: Any, content: bytes, name: str, done: Shipped) -> None:  # noqa: ANN401 - fsspec's paths
    if place.exists():
        (done.there if place.read_bytes() == content else done.differ).append(name)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    _put(place, content)
    done.copied.append(name)


def _put(place: Any, content: bytes) -> None:  # noqa: ANN401 - fsspec's paths
    """Whole or not at all; on a disk through no link that somebody has put there."""
    if getattr(place, "protocol", "") not in _ON_THIS_HOST:
        place.write_bytes(content)  # a store shows nothing before it has all
        return
    path = str(getattr(place, "path", place))
    beside = f"{path}.{os.urandom(8).hex()}.new"
    with open(beside, "xb") as file:  # noqa: PTH123 - as everywhere in this package
        file.write(content)
    os.replace(beside, path)  # noqa: PTH105 - as everywhere in this package


def _names(folder: str, ending: str) -> Iterable[str]:
    try:
        return [name for name in sorted(os.listdir(folder)) if name.endswith(ending)]  # noqa: PTH208 - as everywhere in this package
    except OSError as wrong:
        raise Misconfigured(f"{folder!r} cannot be read: {wrong.strerror}") from None


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - as everywhere in this package
        return file.read()
