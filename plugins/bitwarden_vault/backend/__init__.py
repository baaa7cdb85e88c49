"""`BitwardenSecretsBackend`: connections, variables and configuration of Airflow from Bitwarden.

    [secrets]
    backend = bitwarden_vault.backend.BitwardenSecretsBackend
    backend_kwargs = {"projects": ["data-platform"]}

Rules this file keeps:
- Airflow makes one in every process and for every parsed file: making it does nothing and never fails, and
  what a lookup needs is imported by the first lookup.
- Nothing is kept between calls that a fork could spoil.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from airflow.secrets import BaseSecretsBackend

if TYPE_CHECKING:
    from bitwarden_vault.backend.connections import ConnectionSearch


class BitwardenSecretsBackend(BaseSecretsBackend):
    """Looks names up as keys of secrets; docs/secrets-backend.md has every option."""

    def __init__(self, **backend_kwargs: Any) -> None:  # noqa: ANN401 - as Airflow hands them over
        super().__init__()
        self._given = backend_kwargs

    def get_connection(self, conn_id: str, team_name: str | None = None) -> Any:  # noqa: ANN401 - one of Airflow's two classes
        """The connection, or None."""
        own = partial(self._own_connection, conn_id, team_name)
        connection_class = getattr(self, "_connection_class", None)
        return self._search.in_order("get_connection", own, conn_id, team_name, connection_class)

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        """The connection as Airflow's JSON or URI, from Bitwarden alone; or None."""
        return self._search.connection(conn_id, team_name)

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        """The variable's text, or None."""
        return self._text("get_variable", "variables", key, team_name)

    def get_config(self, key: str) -> str | None:
        """The option's text, or None."""
        return self._text("get_config", "config", key, None)

    def _own_connection(self, conn_id: str, team_name: str | None) -> Any:  # noqa: ANN401 - as above
        """As the base class has it since Airflow 3.2; that of 3.1 knows no teams."""
        return self._search.made(conn_id, team_name, self.deserialize_connection)

    @cached_property
    def _search(self) -> ConnectionSearch:
        from bitwarden_vault.backend.connections import ConnectionSearch  # noqa: PLC0415 - most processes look nothing up

        return ConnectionSearch(self._given)

    def _text(self, method: str, kind: str, name: str, team_name: str | None) -> str | None:
        own = partial(self._search.text, kind, name, team_name)
        found: str | None = self._search.in_order(method, own, name, team_name)
        return found
