"""`confirm NAME`: a person says that a consumer which takes values by hand has CURRENT's version.

Rules this file keeps:
- One consumer at a time: nobody gives their word for others by leaving a name out.
- It is CURRENT's own version that is confirmed, as Bitwarden has it now. Whoever names another one is told.
- A word that is kept already stays as it is.
- What was said before CURRENT was made is not about it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from credential_rotation.attempt.look import Look
from credential_rotation.by_hand import how_to_confirm, not_kept_then
from credential_rotation.errors import BadInput, StateTrouble
from credential_rotation.inventory.words import nearest
from credential_rotation.model import Consumer, Credential, Record
from credential_rotation.outcome import Fact, Outcome, Shows, Step, told
from credential_rotation.state.confirmations import Confirmation, Said, by_hand
from credential_rotation.wiring import Deployment


def confirm(  # noqa: PLR0913 - each by its name
    deployment: Deployment,
    credential: Credential,
    *,
    consumer: str | None,
    version: int | None,
    by: str,
    told_at: datetime | None = None,
    is_cleared: bool = False,
) -> Outcome:
    """Keep a person's word, which was given at some moment, or now; that of a cleared run is only told.

    Raises: BadInput, StateTrouble, VaultTrouble.
    """
    chosen = _chosen(credential, consumer)
    look = Look(credential, deployment.vault(credential).look(), deployment.rotator(credential))
    own = _own(credential, look.own, version, told_at)
    said = _said_of(deployment, credential, own)
    before = said.words.get(chosen.name)
    if before is None and is_cleared:
        raise not_kept_then(credential.name)
    word = before or Confirmation(chosen.name, by, deployment.clock())
    if before is None:
        deployment.confirmations.keep(credential, (own.epoch, own.attempt), word)
    said = Said({**said.words, chosen.name: word})
    follows = "what it replaced is ended when its time is over" if look.older else "nothing waits for it"
    left = said.awaited(credential)
    if left:
        follows = f"{len(left)} more to confirm"
    when = f" already, on {word.at:%Y-%m-%d %H:%M} UTC" if before else ""
    reason = f"{chosen.name} has version {own.epoch}, as {word.by} said{when}; {follows}"
    is_own = word.by == by
    at = word.at if is_own else deployment.clock()
    return replace(
        told(
            credential,
            "ok",
            reason,
            next_step=" ".join(how_to_confirm(credential.name, one, own.epoch) for one in left),
        ),
        version=own.epoch,
        steps=(_step(own, chosen, at, is_own=is_own), Step("ok", at, reason)),
    )


def _said_of(deployment: Deployment, credential: Credential, own: Record) -> Said:
    """All that was said of this version. Raises: StateTrouble (some of it cannot be read)."""
    said = deployment.confirmations.of(credential, (own.epoch, own.attempt))
    if said.unknown:
        raise StateTrouble(
            f"{credential.name}: what was confirmed cannot be read: {said.unknown}",
            next_step="Nothing is ended meanwhile. See to the folder, then confirm it.",
        )
    return said


def _step(own: Record, who: Consumer, at: datetime, *, is_own: bool) -> Step:
    """What was said; one's own word is told each time, because a task that kept it may have been killed."""
    where = f"manual {who.name}"
    what = f"version {own.epoch}, {where}"
    if not is_own:
        return Step("confirmed before", at, what, is_routine=True)
    return Step("confirmed", at, what, Fact(Shows.CONFIRMED, own.epoch, where=where))


def _chosen(credential: Credential, consumer: str | None) -> Consumer:
    """The consumer that is meant. Raises: BadInput."""
    people = by_hand(credential)
    names = [one.name for one in people]
    if not people:
        raise BadInput(
            f"{credential.name}: no consumer of it takes values by hand",
            next_step=f"Only `manual` consumers are confirmed; its entry is at {credential.source}.",
        )
    if consumer is None and len(people) == 1:
        return people[0]
    found = next((one for one in people if one.name == consumer), None)
    if found is None:
        what = "which consumer?" if consumer is None else f"no consumer {consumer[:100]!r} takes it by hand"
        raise BadInput(
            f"{credential.name}: {what}{nearest(consumer or '', names)}",
            next_step=f"Name the consumer (--consumer), one of: {', '.join(names)}.",
        )
    return found


def _own(credential: Credential, own: Record | None, version: int | None, told_at: datetime | None) -> Record:
    """CURRENT's own version. Raises: BadInput."""
    if own is None:
        raise BadInput(
            f"{credential.name}: CURRENT has no version yet, so that there is nothing to confirm",
            next_step=f"`retire {credential.name}` gives a value that works its version.",
        )
    if version not in (None, own.epoch):
        raise BadInput(
            f"{credential.name}: version {version} is not CURRENT, version {own.epoch} is",
            next_step=f"Give it version {own.epoch}, then confirm that.",
        )
    if version is None and told_at is not None and own.written > told_at:
        raise BadInput(
            f"{credential.name}: version {own.epoch} was made after this was said, about another one",
            next_step=f"Give it version {own.epoch}, then confirm that.",
        )
    return own
