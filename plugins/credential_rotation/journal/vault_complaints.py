"""Bitwarden's errors in the words of a rotation, each with what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bitwarden_vault import errors as vault
from credential_rotation.errors import (
    AGAIN,
    BadInput,
    NotConfigured,
    NotOurs,
    RotationError,
    VaultTrouble,
    VaultUnknown,
)
from credential_rotation.model import Credential

EVERYWHERE = "Set these for the scheduler and all workers."
_NEXT_STEPS: dict[type[vault.VaultError], str] = {
    vault.RefusedToken: "Mend or replace the access token; then run again.",
    vault.NotFound: "Give the machine account `Can read, write` on the project (web vault: Machine "
    "accounts > Projects), and see that the project is spelled as there and that BWS_ORGANIZATION_ID is its "
    "organisation's id.",
    vault.NoAnswerInTime: "",
    vault.Unreachable: "If that does not help: let this host reach the address; where a private authority "
    "signed its certificate, set SSL_CERT_FILE to that authority's certificate.",
    vault.RateLimited: "If it goes on, spread the schedules of what uses this address.",
    vault.InvalidRequest: "Shorten what is named, then run again.",
    vault.Blocked: "Let the worker reach Bitwarden without a proxy's or firewall's web page in between.",
    vault.AgentUnavailable: "See the agent's log line above and BITWARDEN_SOCKET_DIR; then run again.",
    vault.VaultError: "",
}
_HEALS = frozenset({vault.NoAnswerInTime, vault.Unreachable, vault.RateLimited, vault.VaultError})
"""The next run may find it mended; what is said of these may help besides."""


@contextmanager
def in_rotation_words(name: str) -> Iterator[None]:
    """Turn what Bitwarden's client raises into errors of a rotation that name the credential."""
    try:
        yield
    except vault.VaultError as error:
        raise translated(name, error) from None


def translated(name: str, error: vault.VaultError) -> RotationError:
    """The error of a rotation that this one of the vault means."""
    if isinstance(error, vault.NothingConfigured):
        return NotConfigured(error.message, next_step=EVERYWHERE)
    what = f"{name}: {error.message}" if name else error.message
    if isinstance(error, vault.Misconfigured):
        return BadInput(what, next_step="Mend the setting for the scheduler and all workers, then run again.")
    if isinstance(error, vault.OutcomeUnknown):
        return VaultUnknown(what, next_step=AGAIN, besides="")
    kind = next(one for one in type(error).__mro__ if one in _NEXT_STEPS)
    said = _NEXT_STEPS[kind]
    if kind in _HEALS:
        return VaultTrouble(what, next_step=f"{AGAIN} {said}".strip(), besides=said)
    return VaultTrouble(what, next_step=said)


def ambiguous(credential: Credential, ids: list[str]) -> NotOurs:
    """Several secrets could be CURRENT."""
    return NotOurs(
        f"{credential.name}: {len(ids)} secrets in project {credential.vault.project} are called "
        f"{credential.vault.key!r}: {', '.join(ids)}",
        next_step="Delete what is not wanted, or name the right one in the entry: vault: {id: …}.",
    )


def no_such_id(credential: Credential) -> VaultTrouble:
    """The entry names CURRENT by id, and it is not there."""
    return VaultTrouble(
        f"{credential.name}: there is no secret {credential.vault.id} in project {credential.vault.project}, "
        "or this machine account may not see it",
        next_step="Check vault.id and the machine account's permissions; it may be in the trash.",
    )


def wrong_form(credential: Credential, why: str) -> NotOurs:
    """CURRENT's value is not in the entry's format."""
    return NotOurs(
        f"{credential.name}: CURRENT cannot be read as {credential.vault.format}: {why}",
        next_step=f"Mend the value in Bitwarden ({place_of(credential)}), or the entry's vault.format.",
    )


def foreign_login(credential: Credential) -> NotOurs:
    """CURRENT logs somebody else in."""
    return NotOurs(
        f"{credential.name}: CURRENT's user is none of the entry's principals "
        f"({', '.join(credential.principals)})",
        next_step=f"Either {place_of(credential)} is the wrong secret, or the entry's principal is.",
    )


def foreign_host(credential: Credential, what: str) -> NotOurs:
    """What is stored is for another server than the entry's."""
    return NotOurs(
        f"{credential.name}: {what} is for another host than the entry's target {credential.target.host}",
        next_step="Was the entry moved? Then mend the host in Bitwarden too, or give the entry a new name.",
    )


def bad_record(credential: Credential, key: str, why: str) -> NotOurs:
    """A record was changed, or was never ours."""
    return NotOurs(
        f"{credential.name}: the record {key} cannot be used: {why}",
        next_step="Records are written once and never edited. Look at it in Bitwarden's web vault (journal "
        "project); delete it there only if its value logs nobody in.",
    )


def no_number_left(credential: Credential, last: int) -> NotOurs:
    """Somebody wrote the highest number there is where ours stand."""
    return NotOurs(
        f"{credential.name}: there is no version after {last}, and a record, CURRENT's note or the stamp on "
        "the target says that this one was made",
        next_step="No rotation ever came that far. Take the number out of CURRENT's note "
        f"({place_of(credential)}) or the role's comment, or delete the record with that number.",
    )


def too_long(credential: Credential, why: str) -> VaultTrouble:
    """What promote would write does not fit, found out before the target is touched."""
    return VaultTrouble(
        f"{credential.name}: the rotated secret would not fit into Bitwarden: {why}",
        next_step=f"Shorten the note or the value of {place_of(credential)}, then run again.",
    )


def place_of(credential: Credential) -> str:
    """Where CURRENT is, for people."""
    return f"`{credential.vault.key or credential.vault.id}` in project {credential.vault.project}"
