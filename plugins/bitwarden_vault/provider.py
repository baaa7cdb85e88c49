"""What Airflow is told of the connection type `bitwarden`; the wheel names it as `apache_airflow_provider`.

Rules this file keeps:
- Imports nothing: every Airflow process reads it at start.
- The access token is the connection's password; extras are shown in the clear, `format: password` or not.
"""

from __future__ import annotations

from typing import Any

CONNECTION_TYPE = "bitwarden"
NAME = "Bitwarden Secrets Manager"
HIDDEN = ("schema", "port", "login", "host")
LABELS = {"password": "Access token"}
_FIELDS = {
    "organization_id": ("Organization id", "As in the web vault's address bar."),
    "server_url": ("Server", "Self-hosted or EU only, such as https://vault.bitwarden.eu."),
    "api_url": ("API address", "Instead of Server, together with the identity address."),
    "identity_url": ("Identity address", "Instead of Server, together with the API address."),
    "next_conn_id": (
        "Second connection",
        "Its access token goes on when this one is refused.",
    ),
}


def get_provider_info() -> dict[str, Any]:
    """The provider, as Airflow's schema wants it."""
    return {
        "package-name": "credential-rotation",
        "name": NAME,
        "description": "Secrets for DAGs, and rotation of credentials.",
        "connection-types": [
            {
                "connection-type": CONNECTION_TYPE,
                "hook-class-name": "bitwarden_vault.hook.BitwardenHook",
                "hook-name": NAME,
                "ui-field-behaviour": {"hidden-fields": list(HIDDEN), "relabeling": LABELS},
                "conn-fields": {
                    name: {"label": label, "description": why, "schema": {"type": ["string", "null"]}}
                    for name, (label, why) in _FIELDS.items()
                },
            }
        ],
    }
