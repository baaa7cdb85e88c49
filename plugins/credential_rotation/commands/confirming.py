"""`confirm NAME`: a person says that a consumer which takes values by hand has CURRENT's version.

Rules this file keeps:
- One consumer at a time: nobody gives their word for others by leaving a name out.
- It is CURRENT's own version that is confirmed, as Bitwarden has it now. Whoever names another one is told.
- A word that is kept already stays as it is.
"""

from __future__ import annotations

from dataclasses import replace

from credential_rotation.attempt.look import Look
from credential_rotation.by_hand import how_to_confirm
from credential_rotation.errors import BadInput, StateTrouble
from credential_rotation.inventory.words import nearest
from credential_rotation.model import Consumer, Credential, Record
from credential_rotation.outcome import Fact, Outcome, Shows, Step, told
from credential_rotation.state.confirmations import Confirmation, Said, by_hand
from credential_rotation.wiring import Deployment


def confirm(
    deployment: Deployment, credential: Credential, *, consumer: str | None, version: int | None, by: str
) -> Outcome:
    """Keep a person's word. Raises: BadInput, StateTrouble, VaultTrouble."""
    chosen = _chosen(credential, consumer)
    look = Look(credential, deployment.vault(credential).look(), deployment.rotator(credential))
    own = _own(credential, look.own, version)
    said = deployment.confirmations.of(credential, (own.epoch, own.attempt))
    if said.unknown:
        raise StateTrouble(
            f"{credential.name}: what was confirmed cannot be read: {said.unknown}",
            next_step="Nothing is ended meanwhile. See to the folder, then confirm it.",
        )
    word = said.words.get(chosen.name) or _kept(deployment, credential, own, Confirmation(
        chosen.name, by, deployment.clock()
    ))  # fmt: skip
    said = Said({**said.words, chosen.name: word})
    follows = "what it replaced is ended when its time is over" if look.older else "nothing waits for it"
    left = said.awaited(credential)
    if left:
        follows = f"{len(left)} more to confirm"
    reason = f"{chosen.name} has version {own.epoch}, as {word.by} said; {follows}"
    now = deployment.clock()
    return replace(
        told(
            credential,
            "ok",
            reason,
            next_step=" ".join(how_to_confirm(credential.name, one, own.epoch) for one in left),
        ),
        version=own.epoch,
        steps=(
            Step(
                "confirmed",
                now,
                f"version {own.epoch}, manual {chosen.name}",
                Fact(Shows.CONFIRMED, own.epoch, where=f"manual {chosen.name}"),
            ),
            Step("ok", now, reason),
        ),
    )


def _kept(deployment: Deployment, credential: Credential, own: Record, word: Confirmation) -> Confirmation:
    deployment.confirmations.keep(credential, (own.epoch, own.attempt), word)
    return word


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
            next_step=f"Say --consumer NAME, one of: {', '.join(names)}.",
        )
    return found


def _own(credential: Credential, own: Record | None, version: int | None) -> Record:
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
    return own
