"""Connections as Airflow has them: an admin's secret, or a value to adopt; only this file asks for one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from credential_rotation.errors import BadInput
from credential_rotation.model import Secret


@dataclass(frozen=True, slots=True)
class AirflowConnection:
    """A connection, whole: what logs in, and what else its readers need of it."""

    login: str
    password: str = field(repr=False)
    conn_type: str
    host: str
    port: int | None
    schema: str | None
    extra: Mapping[str, Any] = field(repr=False)
    """May hold anything, secrets included."""


def secret_of(conn_id: str) -> Secret:
    """User and password of an admin's connection. Raises: BadInput (no Airflow, not there, incomplete)."""
    found = connection_of(conn_id, otherwise=", or make the admin an entry of the inventory")
    return Secret(found.login, found.password, found.login)


def connection_of(conn_id: str, *, otherwise: str = "") -> AirflowConnection:
    """This connection, wherever Airflow finds it; `otherwise` is what else helps who has no Airflow here.

    Raises: BadInput (no Airflow, not there, incomplete).
    """
    try:
        found = _found(conn_id)
    except ImportError:
        raise BadInput(
            f"the Airflow connection {conn_id!r} cannot be read: Airflow is not installed here",
            next_step=f"Run it where Airflow is{otherwise}.",
        ) from None
    except Exception as wrong:  # noqa: BLE001 - any backend may raise anything, and its text may hold a value
        raise BadInput(
            f"the Airflow connection {conn_id!r} cannot be read ({type(wrong).__name__})",
            next_step="See that it is defined for this worker: `airflow connections get` shows it.",
        ) from None
    if not found.login or not found.password:
        raise BadInput(
            f"the Airflow connection {conn_id!r} has no login or no password",
            next_step="Fill in both; they are what logs in.",
        )
    return AirflowConnection(
        login=found.login,
        password=found.password,
        conn_type=found.conn_type or "",
        host=found.host or "",
        port=found.port,
        schema=found.schema or None,
        extra=found.extra_dejson,
    )


def _found(conn_id: str) -> Any:  # noqa: ANN401 - Airflow has two classes for it
    """A task asks Airflow's API. In a shell there is none: Airflow itself looks into its database there."""
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    if hasattr(runner, "SUPERVISOR_COMMS"):
        from airflow.sdk import Connection  # noqa: PLC0415 - the command line needs Airflow only for this

        return Connection.get(conn_id)
    with log_left_alone():
        from airflow.models.connection import Connection as Stored  # noqa: PLC0415 - as above

        return Stored.get_connection_from_secrets(conn_id)


@contextmanager
def log_left_alone() -> Iterator[None]:
    """Airflow takes all logs over when it is imported; a command goes on as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
