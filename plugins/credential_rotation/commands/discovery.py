"""Asks each target of the inventory, through its entries' admins, which logins it has.

Rules this file keeps:
- Each server is asked once, by the first of its admins that gets an answer.
- A target that cannot be asked is told and keeps no other from being asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from credential_rotation.discovered import Discovered, Login, Unasked, sort_out
from credential_rotation.engines.registry import CLOUD
from credential_rotation.errors import RotationError
from credential_rotation.inventory.exceptions import Exceptions, place_of
from credential_rotation.inventory.inventory import Inventory
from credential_rotation.model import Credential, EntryAdmin
from credential_rotation.wiring import Deployment

_ENGINES: Mapping[str, str] = {
    "postgres": "credential_rotation.engines.postgres.discovery",
    "aws_iam": "credential_rotation.engines.aws_iam.discovery",
}


def discover(
    deployment: Deployment, inventory: Inventory, exceptions: Exceptions, *, tell: Callable[[str], None]
) -> Discovered:
    """What no entry manages."""
    found: list[Login] = []
    unasked = []
    for where, entries in _targets(inventory).items():
        tell(f"asking {where}")
        answers, why = _ask(deployment, entries)
        found += answers
        if why:
            unasked.append(Unasked(where, why))
    return sort_out(found, inventory.credentials, exceptions.let_be, deployment.clock(), unasked=unasked)


def _targets(inventory: Inventory) -> dict[str, list[Credential]]:
    """The entries by server, or by who asks where the target has no name of its own."""
    found: dict[str, list[Credential]] = {}
    for one in inventory.credentials:
        if one.engine in _ENGINES:
            found.setdefault(_where(one), []).append(one)
    return found


def _where(credential: Credential) -> str:
    if credential.engine in CLOUD:
        admin = credential.admin
        by = "itself" if admin is None else admin.name if isinstance(admin, EntryAdmin) else admin.conn_id
        return f"{credential.engine} ({credential.name if admin is None else f'admin {by}'})"
    return f"{credential.engine} {place_of(credential)}"


def _ask(deployment: Deployment, entries: list[Credential]) -> tuple[list[Login], str]:
    """The answer of the first admin that gets one, and why there is none."""
    why = "no entry of it has an admin to ask with"
    asked = set()
    for one in entries:
        if one.admin is None or one.admin in asked:
            continue
        asked.add(one.admin)
        try:
            ask = import_module(_ENGINES[one.engine]).logins
            return list(ask(one, deployment.admins_secret(one.admin))), ""
        except RotationError as error:
            why = f"{error.what}. {error.next_step}"
    return [], why
