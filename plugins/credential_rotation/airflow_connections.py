"""The secret of an admin that is an Airflow connection; the only place that asks Airflow for one."""

from __future__ import annotations

from credential_rotation.errors import BadInput
from credential_rotation.model import Secret


def secret_of(conn_id: str) -> Secret:
    """User and password of this connection. Raises: BadInput (no Airflow, not there, incomplete)."""
    try:
        from airflow.sdk import Connection  # noqa: PLC0415 - the command line needs Airflow only for this
    except ImportError:
        raise BadInput(
            f"the Airflow connection {conn_id!r} cannot be read: Airflow is not installed here",
            next_step="Run it where Airflow is, or make the admin an entry of the inventory.",
        ) from None
    try:
        found = Connection.get(conn_id)
    except Exception as wrong:  # noqa: BLE001 - any backend may raise anything, and its text may hold a value
        raise BadInput(
            f"the Airflow connection {conn_id!r} cannot be read ({type(wrong).__name__})",
            next_step="See that it is defined for this worker: `airflow connections get` shows it.",
        ) from None
    if not found.login or not found.password:
        raise BadInput(
            f"the Airflow connection {conn_id!r} has no login or no password",
            next_step="Fill in both; the admin logs in with them.",
        )
    return Secret(found.login, found.password, found.login)
