"""The environment of a small Airflow: quick on two cores, with ports of its own, and bare.

With the caller's PYTHONPATH in it, DAGs would import what in a user's Airflow they could not.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from sandbox.ports import free_ports

_QUICK = {
    "CORE__LOAD_EXAMPLES": "False",
    "CORE__PARALLELISM": "4",
    "API__WORKERS": "1",
    "DAG_PROCESSOR__REFRESH_INTERVAL": "5",  # 300 otherwise: a new DAG file is seen in 2 s, not in 5 min
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",  # each round of the seven files is a second of a core
    "DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.4",
    "WORKERS__EXECUTION_API_TIMEOUT": "30",  # after 5, a task of a busy machine is killed
    "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # a slot is free when its task ends, not up to 5 s later
}
_ALSO_WANTED = ("LANG", "TMPDIR")


@dataclass(frozen=True, slots=True)
class AirflowSettings:
    """Ports and secrets of one Airflow, new for each."""

    home: Path
    username: str = "admin"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    ports: tuple[int, ...] = field(default_factory=lambda: free_ports(3))
    _fernet_key: str = field(default_factory=lambda: Fernet.generate_key().decode(), repr=False)
    _signing_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    @property
    def url(self) -> str:
        """Where the api-server listens; links in alerts begin with it."""
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def passwords_file(self) -> Path:
        """What the simple auth manager reads."""
        return self.home / "passwords.json"

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """For every component alike; `more` wins."""
        found = {name: os.environ[name] for name in _ALSO_WANTED if name in os.environ}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
        ours = {f"AIRFLOW__{name}": value for name, value in (_QUICK | self._own()).items()}
        home = {"HOME": str(self.home), "AIRFLOW_HOME": str(self.home)}
        return {"PATH": path, "PYTHONUNBUFFERED": "1"} | found | home | ours | dict(more)

    def _own(self) -> dict[str, str]:
        port, worker_logs, trigger_logs = map(str, self.ports)
        return {
            "CORE__DAGS_FOLDER": str(self.home / "dags"),
            "DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(
                self.home / "bundles"
            ),  # else shared by all in /tmp
            "CORE__FERNET_KEY": self._fernet_key,
            "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{self.username}:admin",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.passwords_file),
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "API__HOST": "127.0.0.1",
            "API__PORT": port,
            "API__BASE_URL": self.url,
            "API__SECRET_KEY": self._signing_key,
            "API_AUTH__JWT_SECRET": self._signing_key,
            "LOGGING__WORKER_LOG_SERVER_PORT": worker_logs,
            "LOGGING__TRIGGER_LOG_SERVER_PORT": trigger_logs,
        }
