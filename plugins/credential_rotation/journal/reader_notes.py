"""What CURRENT's note tells its readers, beside our marks: how long a value may be kept, and what it is for.

Rules this file keeps:
- Of a role that is rotated in place the old value is dead when the new one is applied: seconds. Of all others
  it lives through the grace, and a kept value is over long before.
- A value may look like another form than it has, so the note names it.
- Where the value has no room for it, the note tells what kind of connection it is; what a person wrote there
  stays, but for who logs in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from bitwarden_vault.formats import FORMAT_FIELD, Server
from bitwarden_vault.note import LIFE_FIELD, read_note
from credential_rotation.model import Credential, Secret, Strategy

KEPT_FOR_NO_TIME = "0"
"""No rotation writes it."""
IN_PLACE = timedelta(seconds=5)
LONGEST = timedelta(minutes=5)
SHARE_OF_GRACE = 4
_TELL_LESS = frozenset({"password", "json"})
"""The formats that do not say what kind of connection they are for."""


def fields_for_readers(credential: Credential, secret: Secret, before: str) -> dict[str, str]:
    """What always holds, whatever the note said before; but that nothing is kept is a person's word."""
    block = read_note(before)
    wants_none = block is not None and block.fields.get(LIFE_FIELD) == KEPT_FOR_NO_TIME
    told = {
        LIFE_FIELD: KEPT_FOR_NO_TIME if wants_none else str(int(_cache_life(credential).total_seconds())),
        FORMAT_FIELD: credential.vault.format,
    }
    if credential.vault.format == "password":
        told["login"] = secret.login or secret.principal
    return told


def first_fields(credential: Credential, server: Server) -> Mapping[str, str]:
    """What holds where a person wrote nothing else."""
    if credential.vault.format not in _TELL_LESS:
        return {}
    told = {
        "conn_type": server.conn_type,
        "host": server.host,
        "port": str(server.port or ""),
        "schema": server.database or "",
        "extra": json.dumps(dict(server.extra)) if server.extra else "",
    }
    return {name: text for name, text in told.items() if text}


def _cache_life(credential: Credential) -> timedelta:
    if credential.strategy is Strategy.IN_PLACE:
        return IN_PLACE
    return max(IN_PLACE, min(LONGEST, credential.policy.grace / SHARE_OF_GRACE))
