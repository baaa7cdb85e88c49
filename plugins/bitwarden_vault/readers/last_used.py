"""When each secret was last given to somebody who uses it: what one agent knows, and others read later.

    last-used/<secret>.json
    {"schema": 1, "secret": "…", "key": "…", "project": "…", "last": "2026-11-26T19:40:00+00:00",
     "who": "nightly_load.load", "host": "worker-1"}

Rules this file keeps:
- Never a value; names as the audit trail has them.
- One document for a secret, whoever writes it: its number is bounded, and what it says is right to the hour.
- A task that has ended counts: it used the value, though nobody waits for it any more.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import Any

from bitwarden_vault.audit.subject import claims, key_shown

SCHEMA = 1
FOLDER = "last-used"
AGAIN_AFTER = 3600.0
"""Seconds after which a use of the same secret is told anew."""
MOST_SECRETS = 5_000

Use = dict[str, Any]


class LastUsed:
    """The uses that this agent saw, by secret."""

    def __init__(self) -> None:
        self._seen: dict[str, Use] = {}
        self._told: dict[str, float] = {}

    def note(self, secret: Mapping[str, Any], caller: Mapping[str, Any]) -> bool:
        """It was just given to this caller; whether that is to be told now."""
        place = str(secret["id"]).lower()
        if place not in self._seen and len(self._seen) >= MOST_SECRETS:
            return False
        said = claims(caller)
        task = ".".join(str(said[part]) for part in ("dag", "task") if said.get(part))
        self._seen[place] = {
            "schema": SCHEMA,
            "secret": place,
            "key": key_shown(secret.get("key")),
            "project": str(secret.get("project_id") or "").lower(),
            "last": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
            "who": task or str(said.get("user") or "a process"),
            "host": socket.gethostname(),
        }
        return self._is_due(place, time.monotonic())

    def due(self, now: float) -> list[Use]:
        """What is to be told now; it then counts as told."""
        found = [place for place in self._seen if self._is_due(place, now)]
        self._told |= dict.fromkeys(found, now)
        return [self._seen.pop(place) for place in found]

    def _is_due(self, place: str, now: float) -> bool:
        return place not in self._told or now - self._told[place] >= AGAIN_AFTER

    def again(self, uses: list[Use]) -> None:
        """These could not be written; whatever was seen since is newer."""
        for one in uses:
            self._told.pop(one["secret"], None)
            self._seen.setdefault(one["secret"], one)
