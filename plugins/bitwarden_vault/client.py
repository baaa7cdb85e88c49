"""The way in: what a process may ask of Bitwarden, through the agent on its host.

Rules this file keeps:
- Standard library only, and little of it: every task pays for these imports.
- Nothing is kept between calls but the settings, so that a client survives a fork.
- Only `VaultError`s are raised; none but `OutcomeUnknown` leaves doubt about what was done.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bitwarden_vault.call import ask, ask_if_there
from bitwarden_vault.errors import NoPermission, NotFound
from bitwarden_vault.nouns import Caller, Project, SecretName, VaultSecret
from bitwarden_vault.settings import Settings

BATCH = 500
"""Ids in one request; five hundred of the longest values are 13 MB."""
FEW = 3
"""So many are read one by one: the cloud lets each path be read 200 times a minute, and counts a request for
several as a write, 60 a minute for all behind one address. A rotation looks three times at two secrets."""


class VaultClient:
    """Bitwarden as one machine account sees it. Blocks: in an event loop use a thread."""

    def __init__(self, settings: Settings, caller: Caller | None = None) -> None:
        self._settings = settings
        self._caller = caller or Caller()
        self._reservation = os.urandom(8).hex()

    def list_secrets(self) -> tuple[SecretName, ...]:
        """Ids, keys and projects of all that the account can read; keys are labels and may repeat."""
        return tuple(
            SecretName(one["id"], one["key"], one["project_id"]) for one in self._ask("list_secrets")
        )

    def find_secret(
        self, key: str, projects: Sequence[str] = (), *, fresh: bool = False
    ) -> VaultSecret | None:
        """The secret with this key in these projects (names or ids; none: all that the account can read).

        May come from the agent's memory, `BITWARDEN_CACHE_LIFE` old at most, and no older than
        `cache_seconds` in its note; `fresh` asks Bitwarden. None where there is none.
        Raises: Ambiguous (several), Misconfigured (no such project).
        """
        found = self._ask("look_up", key=key, projects=list(projects), fresh=fresh)
        return None if found is None else _secret(found)

    def get_secret(self, id: str) -> VaultSecret:  # noqa: A002 - the vault's own word
        """One secret. Raises: NotFound (deleted, or not readable for this account)."""
        return _secret(self._ask("get_secret", id=id))

    def get_secrets(self, ids: Sequence[str]) -> tuple[VaultSecret, ...]:
        """These secrets, in this order.

        All or nothing, as the server has it. Raises: NotFound (one of them is gone or not readable).
        """
        wanted = list(dict.fromkeys(one.lower() for one in ids))  # the server refuses doubled ids
        if len(wanted) <= FEW:
            read = [self.get_secret(one) for one in wanted]
        else:
            batches = [wanted[begin : begin + BATCH] for begin in range(0, len(wanted), BATCH)]
            read = [_secret(one) for batch in batches for one in self._ask("get_secrets", ids=batch)]
        found = {one.id.lower(): one for one in read}
        return tuple(found[one.lower()] for one in ids)

    def create_secret(self, *, key: str, value: str, note: str, project_id: str) -> VaultSecret:
        """A new secret. Raises: OutcomeUnknown (look for it in the list before creating it again)."""
        return _secret(self._ask("create_secret", key=key, value=value, note=note, project_id=project_id))

    def update_secret(
        self,
        id: str,  # noqa: A002 - the vault's own word
        *,
        key: str,
        value: str,
        note: str,
        project_id: str,
    ) -> VaultSecret:
        """Replace all fields of a secret. Raises: OutcomeUnknown (read back and compare)."""
        return _secret(
            self._ask("update_secret", id=id, key=key, value=value, note=note, project_id=project_id)
        )

    def delete_secrets(self, ids: Sequence[str]) -> None:
        """Move secrets to the trash; those that are gone already are fine.

        Raises: NoPermission, OutcomeUnknown (some may be left).
        """
        wanted = list(dict.fromkeys(ids))
        for begin in range(0, len(wanted), BATCH):
            piece = wanted[begin : begin + BATCH]
            if not self._delete(piece) and len(piece) > 1:  # one that is gone spares the whole batch
                for one in piece:
                    self._delete([one])

    def list_projects(self) -> tuple[Project, ...]:
        """The projects that the account can see."""
        return tuple(Project(one["id"], one["name"]) for one in self._ask("list_projects"))

    def reserve(self, *, creates: int = 0, updates: Sequence[str] = (), reads: Sequence[str] = ()) -> None:
        """Make sure that these requests of this client can be sent at once.

        It waits until the rate limits have room for them all and the login is good for two more minutes.
        A new reservation replaces the last one; without arguments it gives back what was not used.
        Raises: RateLimited, or why there is no login.
        """
        self._ask("reserve", creates=creates, updates=list(updates), reads=list(reads))

    def status(self) -> dict[str, object]:
        """What the agent says of itself; starts none."""
        found: dict[str, object] | None = ask_if_there(self._settings, "status")
        return found if found is not None else {"running": False}

    def stop(self) -> None:
        """Ask the agent to leave and wait until it is gone; nothing if there is none."""
        ask_if_there(self._settings, "stop", until_gone=True)

    def _delete(self, ids: list[str]) -> bool:
        """Whether all of them were there."""
        try:
            self._ask("delete_secrets", ids=ids)
        except NoPermission:
            raise
        except NotFound:
            return False
        return True

    def _ask(self, operation: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        caller = self._caller
        claimed = {name: getattr(caller, name) for name in caller.__slots__}
        request = {
            "operation": operation,
            "arguments": arguments,
            "caller": claimed,
            "reservation": self._reservation,
        }
        return ask(self._settings, request)


def _secret(found: Mapping[str, Any]) -> VaultSecret:
    return VaultSecret(
        id=found["id"],
        key=found["key"],
        value=found["value"],
        note=found["note"],
        project_id=found["project_id"],
        creation_date=datetime.fromisoformat(found["creation_date"]),
        revision_date=datetime.fromisoformat(found["revision_date"]),
    )
