"""Who runs an Airflow's tasks: its scheduler (LocalExecutor), or Celery with Redis and PostgreSQL.

`AIRFLOW_SANDBOX_EXECUTOR=celery` in the environment of whoever starts an Airflow makes it the second.
"""

import os
import secrets
import shutil
from contextlib import ExitStack
from pathlib import Path

from sandbox.kept import DidNotStart, Kept, wait_until
from sandbox.ports import free_ports
from sandbox.postgres import PostgresServer

CHOICE = "AIRFLOW_SANDBOX_EXECUTOR"
_PARTS = {"scheduler": 8.0, "dag-processor": 4.0, "api-server": 0.5}
"""Seconds in which each is to end. The scheduler waits for its tasks; the api-server would for its guests."""
_CELERY_WORKER = "celery worker"


def executor() -> "LocalExecutor | CeleryExecutor":
    """The one that the environment asks for."""
    return CeleryExecutor() if os.environ.get(CHOICE) == "celery" else LocalExecutor()


class LocalExecutor:
    """Tasks are forked from the scheduler; metadata in SQLite."""

    parts = _PARTS
    has_sqlite = True

    def start(self, home: Path) -> dict[str, str]:
        """What Airflow has to be told."""
        del home
        return {"AIRFLOW__CORE__EXECUTOR": "LocalExecutor"}

    def stop(self) -> None:
        """Nothing of its own runs."""


class CeleryExecutor:
    """Tasks are forked from a Celery worker. Redis is a system package."""

    parts = _PARTS | {_CELERY_WORKER: 8.0}
    has_sqlite = False

    def __init__(self) -> None:
        self._running = ExitStack()

    def start(self, home: Path) -> dict[str, str]:
        """Redis and PostgreSQL run; what Airflow has to be told. Raises: DidNotStart."""
        servers = home.with_name(f"{home.name}-servers")
        servers.mkdir(exist_ok=True)
        postgres = self._running.enter_context(PostgresServer(servers / "postgres"))
        password = secrets.token_hex(16)
        postgres.create_role("airflow", password)
        postgres.create_database("airflow", owner="airflow")
        place = f"airflow:{password}@localhost:{postgres.port}/airflow?sslmode=require"
        return {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg://{place}",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+psycopg://{place}",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql+psycopg://{place}",
            "AIRFLOW__CELERY__BROKER_URL": self._redis(servers),
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "4",
        }

    def stop(self) -> None:
        """End both; again is fine."""
        self._running.close()

    def _redis(self, folder: Path) -> str:
        program = shutil.which("redis-server")
        if program is None:
            raise DidNotStart("there is no redis-server on this machine")
        [port] = free_ports(1)
        password = secrets.token_hex(16)
        settings = folder / "redis.conf"
        settings.touch(mode=0o600)
        settings.write_text(f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\n')
        log = folder / "redis.log"
        kept = Kept([program, settings], log=log, cwd=folder, grace=4.0)
        self._running.callback(kept.stop)
        wait_until(
            lambda: log.exists() and "Ready to accept connections" in log.read_text(),
            "Redis",
            within=30,
            kept=(kept,),
        )
        return f"redis://:{password}@127.0.0.1:{port}/0"
