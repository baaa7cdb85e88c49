"""Parses of a folder of DAG files by Airflow's own loader.

    python -m scenes.airflow.parse_dags FOLDER TIME ZONE SEED [TIME ZONE SEED …]

At each parse the clock says TIME, in ZONE, and folders are read in an order that SEED shuffles. Prints a line
for each, with what Airflow stores of every DAG, its hash (which forgives another order in lists), and the
errors. Each has a process of its own, forked from one that has loaded Airflow and nothing of ours.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import time_machine

_LOADED_ONCE = (
    "airflow.dag_processing.dagbag",
    "airflow.models.serialized_dag",
    "airflow.serialization.serialized_objects",
)
_scandir, _listdir = os.scandir, os.listdir


class _Shuffled:
    """A folder's entries in another order, for `with`, `for` and `next`."""

    def __init__(self, path: object, order: random.Random) -> None:
        with _scandir(path) as entries:  # type: ignore[call-overload]  # whatever the caller gave
            found = list(entries)
        order.shuffle(found)
        self._entries = iter(found)

    def __enter__(self) -> _Shuffled:  # noqa: PYI034 - typing.Self is 3.11
        return self

    def __iter__(self) -> Iterator[os.DirEntry[str]]:
        return self._entries

    def __next__(self) -> os.DirEntry[str]:
        return next(self._entries)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def shuffle_folders(seed: str) -> None:
    """From here on no folder is read in the order of its names."""
    order = random.Random(seed)  # noqa: S311 - an order, not a secret

    def listdir(path: object = ".") -> list[str]:
        names = list(_listdir(path))  # type: ignore[call-overload]  # whatever the caller gave
        order.shuffle(names)
        return names

    os.scandir = lambda path=".": _Shuffled(path, order)  # type: ignore[assignment]  # a shuffle, otherwise the same
    os.listdir = listdir  # type: ignore[assignment]  # as above


def main(folder: str, *parses: str) -> None:
    """Parse, and say what Airflow would store."""
    for name in _LOADED_ONCE:
        importlib.import_module(name)  # into the home that the test made
    assert not {"credential_rotation", "bitwarden_vault"} & set(sys.modules)
    for when, zone, seed in zip(*(iter(parses),) * 3, strict=True):
        child = os.fork()
        if not child:
            parse(folder, when, zone, seed)
            sys.stdout.flush()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0


def parse(folder: str, when: str, zone: str, seed: str) -> None:
    """One of them."""
    from airflow.dag_processing.dagbag import BundleDagBag  # noqa: PLC0415 - into the home that the test made
    from airflow.models.serialized_dag import SerializedDagModel  # noqa: PLC0415 - as above
    from airflow.serialization.serialized_objects import DagSerialization  # noqa: PLC0415 - as above

    os.environ["TZ"] = zone
    time.tzset()
    shuffle_folders(seed)
    with time_machine.travel(when):
        bag = BundleDagBag(Path(folder), bundle_path=Path(folder), bundle_name="home")
        stored = {name: DagSerialization.to_dict(dag) for name, dag in bag.dags.items()}
    texts = {name: json.dumps(one, sort_keys=True) for name, one in stored.items()}
    hashes = {name: SerializedDagModel.hash(one) for name, one in stored.items()}  # type: ignore[no-untyped-call]  # Airflow's
    print(json.dumps({"dags": hashes, "texts": texts, "errors": bag.import_errors}, sort_keys=True))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(*sys.argv[1:])
