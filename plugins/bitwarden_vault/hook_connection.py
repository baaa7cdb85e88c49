"""What an Airflow connection of type `bitwarden` says, as variables of the environment.

Rules this file keeps:
- An address wants a token beside it: whoever may edit connections could have the environment's sent away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitwarden_vault.errors import Misconfigured
from bitwarden_vault.settings import ADDRESSES, ORGANIZATION
from bitwarden_vault.token_reading import TOKEN

NEXT_CONN_ID = "next_conn_id"
"""In the extra: the connection that holds the second token."""
VARIABLES = {
    "organization_id": ORGANIZATION,
    "server_url": "BWS_SERVER_URL",
    "api_url": "BWS_API_URL",
    "identity_url": "BWS_IDENTITY_URL",
}
"""By the members of the extra that stand for them."""


def variables_of(place: str, password: str | None, extra: Mapping[str, Any]) -> dict[str, str]:
    """The variables that it stands for. Raises: Misconfigured."""
    texts = {name: str(told).strip() for name, told in extra.items() if told}
    given = {variable: texts[name] for name, variable in VARIABLES.items() if texts.get(name)}
    if password:
        return {**given, TOKEN: password}
    if not ADDRESSES.isdisjoint(given):
        raise Misconfigured(
            f"{place} names an address and holds no token: write the access token into its password. The "
            "environment's token goes nowhere but where the environment says"
        )
    return given
