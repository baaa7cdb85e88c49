"""The backend's search in its users' words: connections are made, mistakes told by the options' names.

Rules this file keeps:
- Airflow swallows what its own readers raise and says "isn't defined": here that is an error of ours, with
  the secret's key and id.
- Airflow's words may quote the value: its error is named, and neither shown nor chained.
- A mistake in an option is told of that option, not of the variable for which it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bitwarden_vault.backend.search import Search, refusal
from bitwarden_vault.errors import Misconfigured
from bitwarden_vault.settings import Settings, renamed


class ConnectionSearch(Search):
    """What `BitwardenSecretsBackend` asks."""

    def made(self, conn_id: str, team_name: str | None, make: Callable[[str, str], Any]) -> Any:  # noqa: ANN401 - one of Airflow's two classes
        """The connection, from Bitwarden; or None."""
        text = self.connection(conn_id, team_name)
        if text is None:
            return None
        try:
            made = make(conn_id, text)
            if made.conn_type:
                return made
            why = "Airflow reads no conn_type from it"
        except Exception as wrong:  # noqa: BLE001 - Airflow's readers raise anything
            why = f"Airflow cannot read it as a connection ({type(wrong).__name__})"
        found = self._find("connections", conn_id, team_name)
        if found is None:
            return None  # it was deleted meanwhile
        raise refusal(f"the secret {found['key']!r} ({found['id']}): {why}") from None

    def _current_settings(self) -> Settings:
        try:
            return super()._current_settings()
        except Misconfigured as wrong:
            raise type(wrong)(renamed(wrong.message, self._options.names)) from None
