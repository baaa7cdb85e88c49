"""`adopt NAME --from-connection`: the value that an Airflow connection has becomes CURRENT, unchanged.

Rules this file keeps:
- User and host of the connection are the entry's; a connection to somewhere else is refused.
- What readers need besides the login (database, port, extra) goes into Bitwarden with it.
- The connection itself is left alone: whoever reads it goes on reading it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from bitwarden_vault.formats import Server
from credential_rotation.airflow_connections import AirflowConnection, connection_of
from credential_rotation.attempt.first_value import take_first_value
from credential_rotation.errors import BadInput, RotationError
from credential_rotation.journal.entries import is_same_host
from credential_rotation.journal.journal import Journal
from credential_rotation.model import Credential, Secret, Strategy
from credential_rotation.outcome import Outcome, told
from credential_rotation.wiring import Deployment

_USUAL_PORT = 5432


def adopt_connection(
    deployment: Deployment, credential: Credential, conn_id: str, *, take_over: bool
) -> Outcome:
    """Take what this connection holds under management."""
    try:
        found = connection_of(conn_id)
        secret = _secret_in(credential, conn_id, found)
        parties = deployment.parties(credential)
        journal = replace(cast("Journal", parties.vault), server=_server(credential, conn_id, found))
        return take_first_value(
            credential,
            replace(parties, vault=journal),
            secret,
            take_over=take_over,
            clock=deployment.clock,
            settle=deployment.settings.settle,
        )
    except RotationError as error:
        return told(credential, error.outcome, error.what, next_step=error.next_step)


def _secret_in(credential: Credential, conn_id: str, found: AirflowConnection) -> Secret:
    """Raises: BadInput (it is for somebody or somewhere else)."""
    if credential.strategy is Strategy.OVERLAPPING:
        return Secret(credential.principals[0], found.password, found.login)
    if found.login not in credential.principals:
        raise _another(credential, conn_id, "user", ", ".join(credential.principals))
    host, port = credential.target.host, credential.target.settings.get("port", str(_USUAL_PORT))
    if not is_same_host(found.host, host):
        raise _another(credential, conn_id, "host", host)
    if str(found.port or _USUAL_PORT) != port:
        raise _another(credential, conn_id, "port", port)
    return Secret(found.login, found.password)


def _another(credential: Credential, conn_id: str, what: str, wanted: str) -> BadInput:
    return BadInput(
        f"{credential.name}: the Airflow connection {conn_id!r} has another {what} than the entry ({wanted})",
        next_step=f"Name the connection that this entry is for, or mend the entry at {credential.source}.",
    )


def _server(credential: Credential, conn_id: str, found: AirflowConnection) -> Server:
    """What stands in CURRENT beside the login. Raises: BadInput (this format cannot hold it)."""
    form = credential.vault.format
    if form == "airflow-uri" and not all(isinstance(one, str) for one in found.extra.values()):
        raise BadInput(
            f"{credential.name}: the extra of {conn_id!r} does not fit into a connection URI",
            next_step="Give the entry the format airflow-connection.",
        )
    return Server(found.conn_type, found.host, found.port, found.schema, found.extra)
