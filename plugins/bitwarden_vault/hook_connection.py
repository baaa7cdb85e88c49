"""What an Airflow connection of type `bitwarden` says, as variables of the environment.

Rules this file keeps:
- What is not understood is refused: passed over, it would leave the token to go to the US cloud.
- An address wants a token beside it: whoever may edit connections could have the environment's sent away.
- A mistake is told by the connection and its member, never by the variable that they stand for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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


def read_extra(place: str, host: str | None, text: str | None) -> dict[str, Any]:
    """Its extra, all of which is known. Raises: Misconfigured."""
    if host:
        raise Misconfigured(
            f"{place} has a host, which is not used: write it as server_url into the extra, such as "
            "https://vault.bitwarden.eu"
        )
    try:
        extra = json.loads(text or "{}")
    except (ValueError, RecursionError):
        extra = None
    wrong = "; ".join(_unknown(extra)) if isinstance(extra, dict) else "it is not a JSON object"
    if wrong:
        raise Misconfigured(f"the extra of {place} cannot be read: {wrong}")
    return dict(extra)


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


def names_of(place: str, given: Mapping[str, str]) -> dict[str, str]:
    """How people wrote what they gave, by variable; of an address they gave all, since it replaces all."""
    told = {*given, *(ADDRESSES if not ADDRESSES.isdisjoint(given) else ())}
    names = {variable: f"{name} of {place}" for name, variable in VARIABLES.items() if variable in told}
    return {**names, **({TOKEN: place} if TOKEN in told else {})}


def _unknown(extra: Mapping[str, Any]) -> Iterator[str]:
    known = (*VARIABLES, NEXT_CONN_ID)
    for name in extra:
        if name in known:
            continue
        if "token" in name or "password" in name:
            yield f"there is no {name!r}; write the access token into its password, since extras are shown"
            continue
        from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

        near = get_close_matches(name, known, 1)
        hint = f"is it {near[0]!r}?" if near else f"there may be {', '.join(known)}"
        yield f"there is no {name!r}; {hint}"
