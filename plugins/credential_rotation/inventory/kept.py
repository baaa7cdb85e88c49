"""The inventory as it was read last: on one host, the same files are not checked twice.

Ten thousand entries take seconds to check, and Airflow parses every DAG file again and again, each time in a
new process.

Rules this file keeps:
- What is kept is found by the content of all files and by the code that read them: whatever differs, and what
  changes while it is read, is read anew.
- It lies where nobody else can write (0700, owner checked), because Python's pickle runs what it reads.
- No place, no room, a torn file: it is read anew, and nobody has to know.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from bitwarden_vault.agent_socket import make_private
from credential_rotation.by_hand import BY_HAND
from credential_rotation.inventory.files import Folder, open_folder
from credential_rotation.inventory.garbage import rarely_looked_for
from credential_rotation.inventory.inventory import Inventory, load_entry, load_inventory
from credential_rotation.model import Credential

MOST_KEPT = 12
"""Files; an inventory has three."""
_CODE = Path(__file__).parents[1]


def read_inventory(include: Path, *, meanwhile: Callable[[], object] | None = None) -> Inventory:
    """Everything below `include`, as `load_inventory`. Raises: BadInput (there is no such folder).

    `meanwhile` begins what those need who have good entries, and returns at once. It is called where they
    were read before, while objects are made of them; it may not raise.
    """

    def loads(file: Path) -> Inventory:
        if meanwhile is not None and _offered_in(file.with_suffix(".names"))["names"]:
            meanwhile()
        found: Inventory = pickle.loads(file.read_bytes())  # noqa: S301 - ours
        return found

    kept: Inventory = _kept(include, "inventory", loads)
    return kept


def names_by_engine(include: Path) -> Mapping[str, list[str]]:
    """The names of all good entries, in order. Raises: BadInput (there is no such folder)."""
    kept: dict[str, list[str]] = _kept(include, "names", _offered_in)["names"]
    return kept


def by_hand(include: Path) -> Mapping[str, list[str]]:
    """What people do by hand, by entry: who takes its value so; nobody, where they change it themselves.

    Raises: BadInput (there is no such folder).
    """
    kept: dict[str, list[str]] = _kept(include, "names", _offered_in)["by_hand"]
    return kept


def lanes_by_engine(include: Path) -> Mapping[str, list[tuple[str | None, str | None]]]:
    """Each queue and pool that good entries name, once. Raises: BadInput (there is no such folder)."""
    kept: dict[str, list[list[str | None]]] = _kept(include, "names", _offered_in)["lanes"]
    return {engine: [(queue, pool) for queue, pool in lanes] for engine, lanes in kept.items()}


def read_entry(include: Path, name: str) -> Credential:
    """One entry; where all were read on this host, nothing is read of the others. Raises: as `load_entry`."""
    place, fingerprint = _place(), _fingerprint(open_folder(include))
    if place is not None and fingerprint is not None:
        with contextlib.suppress(Exception):  # not kept, torn, or an entry that is not good
            each: dict[str, bytes] = pickle.loads((place / f"{fingerprint}.entries").read_bytes())  # noqa: S301 - ours
            found: Credential = pickle.loads(each[name])  # noqa: S301 - ours
            return found
    return load_entry(include, name)


@rarely_looked_for()
def _kept(include: Path, kind: str, loads: Callable[[Path], Any]) -> Any:  # noqa: ANN401 - one of two
    folder = open_folder(include)
    place, fingerprint = _place(), _fingerprint(folder)
    if place is not None and fingerprint is not None:
        with contextlib.suppress(Exception):  # torn, or of another version: whatever pickle makes of it
            return loads(place / f"{fingerprint}.{kind}")
    inventory = load_inventory(include)
    offered = _offered(inventory)
    if place is not None and fingerprint is not None and fingerprint == _fingerprint(open_folder(include)):
        with contextlib.suppress(OSError):
            _keep(place / f"{fingerprint}.inventory", _pickled(inventory))
            _keep(place / f"{fingerprint}.entries", _pickled(_each(inventory)))
            _keep(place / f"{fingerprint}.names", json.dumps(offered).encode())
            _forget_old(place)
    return inventory if kind == "inventory" else offered


def _offered_in(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(file.read_bytes())
    return found


def _offered(inventory: Inventory) -> dict[str, dict[str, Any]]:
    """What DAG files ask for while they are parsed: names, queues and pools by engine, and people's work."""
    names: dict[str, list[str]] = {}
    lanes: dict[str, dict[tuple[str | None, str | None], None]] = {}
    for one in inventory.credentials:
        names.setdefault(one.engine, []).append(one.name)
        if one.queue or one.pool:
            lanes.setdefault(one.engine, {})[one.queue, one.pool] = None
    takers = {one.name: [who.name for who in one.consumers if who.kind == BY_HAND] for one in inventory.all}
    manual = {one.name for one in inventory.manual}
    return {
        "names": names,
        "lanes": {engine: list(pairs) for engine, pairs in lanes.items()},
        "by_hand": {name: own for name, own in takers.items() if own or name in manual},
    }


def _each(inventory: Inventory) -> dict[str, bytes]:
    """By name, so that who wants one does not make objects of all."""
    return {one.name: _pickled(one) for one in inventory.credentials}


def _pickled(what: object) -> bytes:
    return pickle.dumps(what, pickle.HIGHEST_PROTOCOL)


def _place() -> Path | None:
    """A folder of our own; None where there is none to be had."""
    try:
        place = f"{tempfile.gettempdir()}/credential-rotation-{os.geteuid()}"
    except OSError:
        return None
    return None if make_private(place) else Path(place)


def _fingerprint(folder: Folder) -> str | None:
    """Of all that `load_inventory` looks at; None where a file cannot be read."""
    seen = hashlib.sha256(f"{sys.version} {code()}".encode())
    policies = folder.include / "policies.yaml"
    try:
        for file in (*([policies] if policies.exists() else []), *folder.files):
            raw = file.read_bytes()
            seen.update(f"\0{folder.shown(file)} {len(raw)}\0".encode(errors="surrogateescape"))
            seen.update(raw)
    except OSError:
        return None
    for stray, why in folder.strays:
        seen.update(f"\0{folder.shown(stray)} {why}".encode(errors="surrogateescape"))
    return seen.hexdigest()


@lru_cache(maxsize=1)
def code() -> str:
    """Which version of this package, and where: a folder that was dropped in has no number that is raised.

    Looked up once: tasks inherit it from their scheduler, with the code.
    """
    files = [*_CODE.rglob("*.py"), *_CODE.glob("schema/*")]
    return f"{_CODE} {len(files)} {max(file.stat().st_mtime_ns for file in files)}"


def _keep(file: Path, raw: bytes) -> None:
    """Whole or not at all."""
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        beside.write_bytes(raw)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _forget_old(place: Path) -> None:
    newest_first = sorted(place.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in newest_first[MOST_KEPT:]:
        file.unlink(missing_ok=True)
