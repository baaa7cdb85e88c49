"""Reads Slack's token from Bitwarden, and does not wait for it longer than an alert may.

Rules this file keeps:
- Whatever is wrong is an answer: the alert may be about Bitwarden itself.
- No more than fifteen seconds, also where the vault's own patience is longer.
"""

from __future__ import annotations

from collections.abc import Mapping

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import VaultError
from bitwarden_vault.settings import read_settings
from credential_rotation import settings as ours
from credential_rotation.alerts.slack import NoToken
from credential_rotation.background import answer_within

PATIENCE = 15.0
"""Seconds."""


def token_from_vault(environ: Mapping[str, str], key: str, *, patience: float = PATIENCE) -> str | NoToken:
    """The text of the secret with this key, as the rotation's machine account reads it."""
    found = answer_within(patience, lambda: _ask(environ, key))
    return NoToken(f"Bitwarden did not answer within {patience:g} s") if found is None else found


def _ask(environ: Mapping[str, str], key: str) -> str | NoToken:
    try:
        vault = VaultClient(read_settings(environ, prefer_token=ours.TOKEN))
        found = vault.find_secret(key) or vault.find_secret(key, fresh=True)  # made since names were listed
    except VaultError as wrong:
        return NoToken(f"it cannot be read from Bitwarden ({wrong.message})")
    except Exception as wrong:  # noqa: BLE001 - an alert must go out all the same
        return NoToken(f"it cannot be read from Bitwarden ({type(wrong).__name__})")
    token = found.value.strip() if found is not None else ""
    if not token:
        return NoToken(f"there is no secret {key[:100]!r} that the rotation's machine account can read")
    if not (token.isascii() and token.isprintable() and " " not in token):
        return NoToken(f"the secret {key[:100]!r} holds more than a token")
    return token
