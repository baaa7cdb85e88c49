"""What people should know of the access tokens before, or after, one of them ends.

Rules this file keeps:
- A second token is proved by logging in with it while the first still works, not on the day it is needed.
- Nothing here keeps anybody from working: it is told, and that is all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import VaultError
from bitwarden_vault.nouns import Caller
from bitwarden_vault.settings import Settings


def remarks_on_tokens(settings: Settings, caller: Caller | None, *, good_too: bool = False) -> Iterable[str]:
    """What is to be done; asks Bitwarden only where there is a second token.

    `good_too`: a second token that is ready is said to be, because silence is also what an empty slot makes.
    """
    client = VaultClient(settings, caller)
    if settings.next_is_wrong:
        yield f"the second access token could not take over: {settings.next_is_wrong}"
    try:
        notice = client.status().get("notice")
        if notice:
            yield str(notice)
        elif settings.next_token is not None:
            seen = {project.id for project in client.list_projects()}
            alone = replace(settings, token=settings.next_token, next_token=None)
            yield from _proof(VaultClient(alone, caller), settings.next_token.name, seen, good_too=good_too)
    except VaultError:
        return  # told where the vault itself is checked


def _proof(alone: VaultClient, token: str, seen: set[str], *, good_too: bool) -> Iterable[str]:
    """By an agent of its own, which is ended at once."""
    try:
        projects = {project.id for project in alone.list_projects()}
    except VaultError as error:
        yield f"the second access token, {token}, could not take over: {error.message}"
    else:
        if projects != seen:
            yield (
                f"the second access token, {token}, sees other projects than the first: is it another "
                "machine account's? Make it for the same one"
            )
        elif good_too:
            yield f"the second access token, {token}, logs in and sees the same projects as the first"
    finally:
        alone.stop()
