"""`close NAME`: a person has changed what no tool can change.

Rules this file keeps:
- Where the entry names a secret in Bitwarden, it has to have been changed since the last close; a person may
  say that it was not, and that is kept. Of the secret its revision date is kept, and nothing of its value.
- Time goes forward: nothing is closed for a day before the last change, for one that has not come, or for one
  that nobody can mean.
- What was said once is one closing, of the moment at which it was kept, however often it is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bitwarden_vault.errors import NotFound
from bitwarden_vault.nouns import VaultSecret
from credential_rotation.by_hand import BY_HAND, not_kept_then
from credential_rotation.errors import BadInput, VaultTrouble
from credential_rotation.journal.vault_complaints import in_rotation_words
from credential_rotation.model import Credential
from credential_rotation.outcome import Fact, Outcome, Shows, Step, told
from credential_rotation.state.closings import EARLIEST, Closing
from credential_rotation.times.schedule import falls_due
from credential_rotation.wiring import Deployment

UNCHANGED = "--unchanged"
SAY_UNCHANGED = f"say that it is unchanged ({UNCHANGED})"


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says."""

    by: str
    why: str
    changed: datetime | None = None
    """None: now."""
    is_unchanged: bool = False
    """Its secret in Bitwarden need not have changed."""
    said: datetime | None = None
    """When they said it, where a task tells it, perhaps for the second time. None: now, and for the first."""
    is_cleared: bool = False
    """Somebody has cleared its run: it tells what was kept, and is kept no more."""


def close(deployment: Deployment, credential: Credential, word: Word) -> Outcome:
    """Keep that it was changed. Raises: BadInput, StateTrouble, VaultTrouble."""
    if credential.engine != BY_HAND:
        raise BadInput(
            f"{credential.name}: the rotation changes it (engine {credential.engine}); it is not closed",
            next_step=f"`rotate {credential.name}` changes it; `confirm` is for who takes its value by hand.",
        )
    last, now = deployment.closings.last(credential), deployment.clock()
    changed = word.changed or word.said or now
    if word.said and last and (last.changed, last.by, last.why) == (changed, word.by, word.why):
        return _closed(credential, last, already=True)
    if word.is_cleared:
        if last and word.said and last.at >= word.said:
            raise _closed_since(credential.name, last)
        raise not_kept_then(credential.name)
    why_not = _why_not(changed, last, max(now, word.said or now))
    if why_not:
        raise BadInput(
            f"{credential.name}: it cannot have been changed on {changed.date()}, {why_not}",
            next_step="Say the day on which it was changed, or leave it out for now.",
        )
    revised = None if word.is_unchanged else _revised(deployment, credential)
    if revised and last and revised <= (last.revised or last.at):
        return _refused(credential, last, revised)
    closing = Closing(last.version + 1 if last else 1, changed, now, word.by, word.why, revised)
    deployment.closings.keep(credential, closing)
    return _closed(credential, closing)


def _closed_since(name: str, last: Closing) -> BadInput:
    """Of a cleared run whose own word, if it was kept, is not the last any more."""
    since = f"{last.at:%Y-%m-%d %H:%M} UTC by {last.by}"
    return BadInput(
        f"{name}: this run was cleared and keeps no word; it was closed since, on {since}",
        next_step=f"Nothing. `python -m credential_rotation evidence {name}` tells all that were kept.",
    )


def _revised(deployment: Deployment, credential: Credential) -> datetime | None:
    """When its secret was last changed; None where the entry names none. Raises: VaultTrouble, BadInput."""
    place = credential.vault
    if not place.project:
        return None
    project = deployment.bitwarden.projects.id_of(place.project, what=credential.name)
    with in_rotation_words(credential.name):
        found = _found(deployment, project, place.key, place.id)
    if found is None:
        raise VaultTrouble(
            f"{credential.name}: there is no secret {place.key or place.id!r} in project {place.project!r}",
            next_step=f"Store the new value there, then close it; or {SAY_UNCHANGED}.",
        )
    return found.revision_date


def _found(
    deployment: Deployment, project: str, key: str | None, secret_id: str | None
) -> VaultSecret | None:
    if secret_id is None:
        return deployment.bitwarden.client.find_secret(key or "", [project], fresh=True)
    try:
        return deployment.bitwarden.client.get_secret(secret_id)
    except NotFound:
        return None


def _refused(credential: Credential, last: Closing, revised: datetime) -> Outcome:
    place = credential.vault.key or credential.vault.id
    reason = (
        f"{place!r} in Bitwarden was not changed since the last close: that is of {last.at:%Y-%m-%d %H:%M} "
        f"UTC, by {last.by}, and the secret is of {revised:%Y-%m-%d %H:%M} UTC"
    )
    next_step = f"Store the new value there first; where it does not belong there, {SAY_UNCHANGED}."
    return replace(told(credential, "refused", reason, next_step=next_step), version=last.version)


def _closed(credential: Credential, closing: Closing, *, already: bool = False) -> Outcome:
    due = falls_due(credential.policy, closing.changed)
    follows = f"; due again on {due:%Y-%m-%d}" if due else ""
    before = f"; {closing.by} said so already, on {closing.at:%Y-%m-%d %H:%M} UTC" if already else ""
    since = f"version {closing.version} is in use since {closing.changed:%Y-%m-%d}"
    reason = f"{since}: {closing.why}{follows}{before}"
    changed = Step(
        "changed by hand",
        closing.changed,
        f"version {closing.version}",
        Fact(Shows.CHANGED_BY_HAND, closing.version),
    )
    return replace(
        told(credential, "closed", reason),
        version=closing.version,
        steps=(changed, _stored(closing), Step("closed", closing.at, reason)),
    )


def _stored(closing: Closing) -> Step:
    if closing.revised is None:
        return Step("not asked", closing.at, "whether a new value is stored anywhere is the person's word")
    why = f"its secret in Bitwarden was changed on {closing.revised:%Y-%m-%d %H:%M} UTC"
    return Step("stored", closing.at, why, Fact(Shows.STORED, closing.version, why=why))


def _why_not(changed: datetime, last: Closing | None, now: datetime) -> str:
    """Why it cannot have been then; empty where it can."""
    if changed > now:
        return "which has not come"
    if changed.year < EARLIEST:
        return f"which is before {EARLIEST}"
    if last is not None and changed <= last.changed:
        return f"last was {last.changed:%Y-%m-%d %H:%M} UTC"
    return ""
