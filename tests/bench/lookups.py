"""How long a task waits for a connection: ours, Amazon's backend on a local moto, the environment.

Each figure is taken in a fresh fork of a process that has made the backends, as tasks are forked from the
scheduler. What our plugin has schedulers load ahead is loaded in our forks alone: half of Amazon's client is
among it. The three take turns, so that what else the machine does meanwhile hits all alike.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from bench.moto import moto_server
from bench.vault import VALUE, vault_with
from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings

OURS, AMAZON, ENVIRONMENT = "bitwarden", "amazon", "environment"
AMAZONS = "airflow.providers.amazon.aws.secrets.secrets_manager"
COLD = 100
"""Connections that nobody has asked for before."""

Figures = dict[str, dict[str, float]]
"""Median milliseconds, by what was measured and which backend."""


def measure(folder: Path, rounds: int) -> Figures:
    """All lookups, `rounds` times each."""
    with _served(folder) as backends:
        VaultClient(read_settings(os.environ)).list_projects()  # the agent is up
        taken: dict[str, dict[str, list[float]]] = {}
        for number in range(rounds):
            for name, backend in backends.items():
                first, second, third = _in_a_fork(name, partial(_thrice, backend, "x"))
                cold = _in_a_fork(name, partial(_once_warm, backend, number))
                for what, figure in zip(_WHAT, (first, second, third, *cold), strict=True):
                    taken.setdefault(what, {}).setdefault(name, []).append(figure)
            VaultClient(read_settings(os.environ)).stop()
            [started] = _in_a_fork(OURS, lambda: [_taken(backends[OURS], "x")])
            taken.setdefault("with the agent to be started", {}).setdefault(OURS, []).append(started)
        return {what: {name: median(all_) for name, all_ in by.items()} for what, by in taken.items()}


_WHAT = ("first in a fresh task", "second", "third", "not asked for before, by a warm task")


def _thrice(backend: Any, conn_id: str) -> list[float]:  # noqa: ANN401 - three classes of three packages
    return [_taken(backend, conn_id) for _ in range(3)]


def _once_warm(backend: Any, number: int) -> list[float]:  # noqa: ANN401 - as above
    _taken(backend, "x")
    return [_taken(backend, f"cold{number % COLD}")]


def _taken(backend: Any, conn_id: str) -> float:  # noqa: ANN401 - as above
    began = time.perf_counter()
    assert backend.get_connection(conn_id) is not None, conn_id
    return (time.perf_counter() - began) * 1000


def _in_a_fork(name: str, work: Callable[[], list[float]]) -> list[float]:
    heard, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if name == OURS:
                from credential_rotation_plugin import load_ahead  # noqa: PLC0415 - nobody else has it

                load_ahead()
            os.write(said, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(said)
    with os.fdopen(heard) as told:
        text = told.read()
    os.waitpid(pid, 0)
    figures: list[float] = json.loads(text)
    return figures


@contextmanager
def _served(folder: Path) -> Iterator[dict[str, Any]]:
    names = ["x", *(f"cold{number}" for number in range(COLD))]
    stored = {f"airflow/connections/{name}": VALUE for name in names}
    with vault_with(folder, names), moto_server(stored) as amazon:
        os.environ |= {f"AIRFLOW_CONN_{name.upper()}": VALUE for name in names}
        yield _backends(amazon)


def _backends(amazon: dict[str, str]) -> dict[str, Any]:
    from airflow.sdk import Connection  # noqa: PLC0415 - as above
    from airflow.secrets.environment_variables import EnvironmentVariablesBackend  # noqa: PLC0415 - as above

    from bitwarden_vault.backend import BitwardenSecretsBackend  # noqa: PLC0415 - as above

    backends = {
        OURS: BitwardenSecretsBackend(),
        AMAZON: import_module(AMAZONS).SecretsManagerBackend(**amazon),
        ENVIRONMENT: EnvironmentVariablesBackend(),
    }
    for backend in backends.values():
        backend._set_connection_class(Connection)
    return backends
