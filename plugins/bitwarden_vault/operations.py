"""The operations on the wire: which of them write, and which rate windows each one counts against.

Bitwarden's cloud counts per address, verb and concrete path; so do we.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bitwarden_vault.untyped import Any

READS = frozenset({"list_secrets", "get_secret", "get_secrets", "list_projects"})
LISTS = frozenset({"list_secrets", "list_projects"})
WRITES = frozenset({"create_secret", "update_secret", "delete_secrets"})

RESERVE = "reserve"
"""Asks the agent for room, not Bitwarden for anything."""

LOOK_UP = "look_up"
"""A secret by its key: from what the agent remembers, else by a list and a read."""


def window_of(operation: str, organization: str, secret_id: str = "") -> tuple[str, str]:
    """Verb and path of the one request that the operation makes."""
    windows = {
        "list_secrets": ("GET", f"/organizations/{organization}/secrets"),
        "get_secret": ("GET", f"/secrets/{secret_id}"),
        "get_secrets": ("POST", "/secrets/get-by-ids"),
        "create_secret": ("POST", f"/organizations/{organization}/secrets"),
        "update_secret": ("PUT", f"/secrets/{secret_id}"),
        "delete_secrets": ("POST", "/secrets/delete"),
        "list_projects": ("GET", f"/organizations/{organization}/projects"),
    }
    return windows[operation]


def window_of_request(operation: str, organization: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
    """The window that a request counts against."""
    return window_of(operation, organization, str(arguments.get("id", "")))


def places_of(organization: str, wanted: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """The places that a reservation is about."""
    places: Counter[tuple[str, str]] = Counter()
    if wanted["creates"]:
        places[window_of("create_secret", organization)] = int(wanted["creates"])
    places.update(window_of("update_secret", organization, one) for one in wanted["updates"])
    places.update(window_of("get_secret", organization, one) for one in wanted["reads"])
    return places
