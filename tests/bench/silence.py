"""What a lookup costs while Bitwarden takes every request and answers none.

One process reads what is remembered, every few milliseconds; beside it others wait for what is not.
"""

from __future__ import annotations

import os
import time
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles

from bench.lookups import OURS, Figures
from bench.vault import vault_with
from sandbox.bitwarden import Fault

DEADLINE = 3.0
WELL = "remembered, 99 of 100 within"
REMEMBERED = "the same while Bitwarden is silent"
NOT_REMEMBERED = "not remembered: the last error, after the deadline"
_WAITING = 8
_PAUSE = 0.005


def silence(folder: Path) -> Figures:
    """Milliseconds."""
    import bitwarden_vault.backend  # noqa: F401, PLC0415 - after Airflow's home is set, before the processes fork

    folder.mkdir(mode=0o700)
    os.environ["BITWARDEN_DEADLINE"] = f"{DEADLINE:g}s"
    names = ("x", *(f"cold{number}" for number in range(_WAITING)))
    with vault_with(folder, names) as bitwarden, get_context("fork").Pool(_WAITING) as pool:
        assert _taken("x") is None
        assert _taken("nowhere") == "not defined"  # the list is known: only values are missing
        well = _reads()
        bitwarden.fault(Fault("hang", path="/api/secrets/*"))
        waiting = pool.map_async(_ended, range(_WAITING))
        silent = _reads()
        slowest = max(waiting.get())
    del os.environ["BITWARDEN_DEADLINE"]
    return {
        WELL: {OURS: quantiles(well, n=100)[98]},
        REMEMBERED: {OURS: quantiles(silent, n=100)[98]},
        NOT_REMEMBERED: {OURS: (slowest - DEADLINE) * 1000},
    }


def _reads() -> list[float]:
    reads, until = [], time.perf_counter() + DEADLINE
    while time.perf_counter() < until:
        began = time.perf_counter()
        assert _taken("x") is None
        reads.append((time.perf_counter() - began) * 1000)
        time.sleep(_PAUSE)
    return reads


def _ended(number: int) -> float:
    began = time.perf_counter()
    said = str(_taken(f"cold{number}"))
    assert "no answer" in said or "not answered" in said, said
    return time.perf_counter() - began


def _taken(conn_id: str) -> str | None:
    """None where it was found, else what is wrong."""
    from bitwarden_vault.backend import BitwardenSecretsBackend  # noqa: PLC0415 - after Airflow's home is set

    try:
        return None if BitwardenSecretsBackend().get_connection(conn_id) else "not defined"
    except Exception as wrong:  # noqa: BLE001 - it is looked at
        return str(wrong)
