"""What importing a backend's class costs a process that has Airflow already: CPU time, median of seven."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from bench.lookups import AMAZON, AMAZONS, OURS

_CLASSES = {
    OURS: "bitwarden_vault.backend",
    AMAZON: AMAZONS,
}
_CODE = """
import sys, time
import airflow.secrets
began = time.process_time()
__import__(sys.argv[1])
print((time.process_time() - began) * 1000)
"""
_TIMES = 7


def imports() -> dict[str, float]:
    """Milliseconds, by backend."""
    return {name: _median(module) for name, module in _CLASSES.items()}


def _median(module: str) -> float:
    _imported(module)  # compiles, and does not count
    return median(_imported(module) for _ in range(_TIMES))


def _imported(module: str) -> float:
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", _CODE, module], env=environ, stdout=subprocess.PIPE, text=True, check=True
    )
    return float(done.stdout)
