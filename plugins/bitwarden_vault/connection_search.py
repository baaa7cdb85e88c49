"""A connection as Airflow makes it of a secret, or what is wrong with that secret.

Rules this file keeps:
- Airflow swallows what its own readers raise and says "isn't defined": here that is an error of ours, with
  the secret's key and id.
- Airflow's words may quote the value: its error is named, and neither shown nor chained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bitwarden_vault.backend_search import Search, _refusal


class ConnectionSearch(Search):
    """A search that also has connections made."""

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
        raise _refusal(f"the secret {found['key']!r} ({found['id']}): {why}") from None
