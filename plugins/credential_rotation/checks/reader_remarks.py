"""What `check` says about readers: whether all hosts can tell of them, and who keeps a value for life.

Rules this file keeps:
- Airflow's configuration is read where it lies: the command line needs no Airflow for it.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bitwarden_vault.state_folder import state_folder
from bitwarden_vault.state_settings import PATH
from credential_rotation.model import Credential, Strategy

_OPTION = "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID"
_FOR_LOGS = (
    "Airflow stores task logs with it (remote_log_conn_id). Each worker process reads it once and keeps it, "
    "so the old version lives until the workers have been restarted."
)
_LOSES_LOGS = (
    "Airflow stores task logs with it (remote_log_conn_id). Each worker process reads it once and keeps it: "
    "after a rotation in place they store no logs until they are restarted."
)


def remarks_on_readers(environ: Mapping[str, str], credentials: Iterable[Credential]) -> Iterator[str]:
    """One sentence or two for each thing that people should know."""
    credentials = tuple(credentials)
    if any(_waits(one) for one in credentials) and not environ.get(PATH, "").strip():
        yield (
            f"{PATH} is not set: who still reads an old version is known of this host alone "
            f"({state_folder(environ).path}). With more hosts set it to a folder or bucket that all share; "
            "otherwise grace must exceed the longest task."
        )
    conn_id = log_connection(environ)
    for one in credentials:
        if conn_id and _holds(one, conn_id):
            yield f"{one.name}: {_FOR_LOGS if _waits(one) else _LOSES_LOGS}"


def log_connection(environ: Mapping[str, str]) -> str:
    """The connection with which workers store task logs; empty where there is none."""
    if environ.get(_OPTION):
        return environ[_OPTION].strip()
    home = environ.get("AIRFLOW_HOME") or os.path.expanduser("~/airflow")  # noqa: PTH111 - as Airflow does it
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(Path(environ.get("AIRFLOW_CONFIG") or f"{home}/airflow.cfg").read_text("utf-8"))
    except (OSError, ValueError, configparser.Error):
        return ""
    return parser.get("logging", "remote_log_conn_id", fallback="").strip()


def _waits(credential: Credential) -> bool:
    return credential.strategy is not Strategy.IN_PLACE


def _holds(credential: Credential, conn_id: str) -> bool:
    named = any(one.kind == "airflow_connection" and one.name == conn_id for one in credential.consumers)
    return named or (credential.vault.key or "").rpartition("/")[2] == conn_id
