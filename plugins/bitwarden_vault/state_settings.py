"""Where an agent publishes who reads, as the environment has it.

Rules this file keeps:
- By default only where an Airflow lives: who uses the vault alone finds no folder of ours in their home.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from bitwarden_vault.untyped import Any

PATH = "ROTATION_STATE_PATH"
JOURNAL = "ROTATION_JOURNAL_PROJECT"
"""No rotation works without it."""
_STORES = ("AWS_", "AZURE_", "GOOGLE_", "GCS", "FSSPEC_")
_NETWORK = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")


def read_state_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """The fields of `Settings`."""
    named = environ.get(PATH, "").strip()
    if "://" in named:
        passed = sorted(name for name in environ if name.startswith(_STORES) or name in _NETWORK)
        network = tuple((name, environ[name]) for name in passed)
    else:
        network = ()
    return {
        "state_path": named.rstrip("/") or _where_an_airflow_lives(environ),
        "state_network": network,
        "is_state_path_chosen": bool(named),
        "is_rotation_here": bool(named or environ.get(JOURNAL, "").strip()),
    }


def default_path(environ: Mapping[str, str]) -> str:
    """In Airflow's home, which may not be there."""
    home = os.path.expanduser(environ.get("AIRFLOW_HOME", "").strip() or "~/airflow")  # noqa: PTH111 - pathlib costs import time in every task
    return f"{home}/credential_rotation_state"


def _where_an_airflow_lives(environ: Mapping[str, str]) -> str | None:
    path = default_path(environ)
    return path if os.path.isdir(os.path.dirname(path)) else None  # noqa: PTH112, PTH120 - as above
