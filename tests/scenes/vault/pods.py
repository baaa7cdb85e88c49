"""Fresh processes that all begin at once and look one connection up: tasks of one host, or pods of many.

    found = look_up_at_once([environment, …], "warehouse")

Airflow is imported once, by the process that they are all forked from, as its executor does it. What makes a
pod is an environment of its own, with a socket directory that no other process knows.

Each one says what Airflow would: the connection, or the error. A connection that is None is "not defined".
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.places import PLUGINS, TESTS


@dataclass(frozen=True, slots=True)
class Found:
    """What one of them got, and how many seconds after the signal to begin."""

    seconds: float
    login: str | None
    error: str


def look_up_at_once(
    environments: Sequence[Mapping[str, str]], conn_id: str, *, within: float = 60.0
) -> list[Found]:
    """One lookup in a fresh process for each environment, all at once."""
    order = json.dumps({"environments": [dict(one) for one in environments], "conn_id": conn_id})
    with tempfile.TemporaryDirectory(prefix="pods-") as home:
        ended = subprocess.run(
            [sys.executable, "-m", "scenes.vault.pods"],
            input=order,
            env={
                "PYTHONPATH": f"{PLUGINS}{os.pathsep}{TESTS}",
                "PATH": os.defpath,
                "AIRFLOW_HOME": home,
                "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            },
            stdout=subprocess.PIPE,
            timeout=within,
            check=True,
            text=True,
        )
    return [Found(**json.loads(line)) for line in ended.stdout.splitlines() if line.startswith("{")]


def main() -> None:
    """Import, fork them all, let them begin, and wait for their ends."""
    order = json.load(sys.stdin)
    from airflow.sdk import Connection  # noqa: PLC0415 - as in every task, it is there before the fork

    from bitwarden_vault.backend import BitwardenSecretsBackend  # noqa: PLC0415 - as above

    def look_up() -> str | None:
        backend = BitwardenSecretsBackend()
        if hasattr(backend, "_set_connection_class"):  # since Airflow 3.2
            backend._set_connection_class(Connection)
        found = backend.get_connection(order["conn_id"])
        return None if found is None else str(found.login)

    wait_here, begin = os.pipe()
    children = []
    for environment in order["environments"]:
        pid = os.fork()
        if pid == 0:
            os.close(begin)
            os.environ.update(environment)
            os.read(wait_here, 1)
            _tell(look_up)
        children.append(pid)
    os.close(begin)
    for pid in children:
        os.waitpid(pid, 0)


def _tell(look_up: object) -> None:
    began, login, error = time.monotonic(), None, ""
    try:
        assert callable(look_up)
        login = look_up()
    except Exception as wrong:  # noqa: BLE001 - whatever a task would die of
        error = f"{type(wrong).__name__}: {wrong}"
    line = {"seconds": time.monotonic() - began, "login": login, "error": error}
    os.write(1, f"{json.dumps(line)}\n".encode())  # short: whole, however many write
    os._exit(0)


if __name__ == "__main__":
    main()
