"""How an attempt ended, concluded from the account of it: what was seen goes in, an outcome comes out.

Rules this file keeps:
- What was done and proved beats what was only planned; what could not be proved beats both, and is not green.
- A failure says whether the old value and the new one still log in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from credential_rotation.attempt.complaints import only_the_new_one_works
from credential_rotation.attempt.look import Look
from credential_rotation.attempt.seen import RETIRE_WAITS, Seen
from credential_rotation.attempt.turn import Turn
from credential_rotation.errors import ApplyUnknown, RotationError, VaultUnknown
from credential_rotation.model import UNMANAGED_EPOCH, Answer, Record
from credential_rotation.outcome import DONE, Outcome, told
from credential_rotation.times.schedule import promised_until

SEE_TO = "The new value logs in on the primary and is stored. See to what is named; it is asked again."

_STRONGEST_FIRST = (
    "revoked",
    "rotated",
    "waiting",
    "refused",
    "recovered",
    "retired",
    "adopted",
    RETIRE_WAITS,
    "unchanged",
)


def see_through(turn: Turn, run: Callable[[], None]) -> Outcome:
    """Run an attempt; what keeps it from its end becomes an outcome with a reason; only a crash escapes."""
    try:
        run()
    except RotationError as error:
        outcome = failed(turn.account.seen, error, turn.look)
    else:
        outcome = ended(turn.account.seen, turn.look)
    turn.account.step(outcome.outcome, outcome.reason)
    return replace(outcome, steps=turn.account.seen.steps)


def ended(seen: Seen, look: Look | None) -> Outcome:
    """How an attempt ended that came to its end; its last step is not among the steps yet."""
    word, reason = _word(seen, look)
    asks = " ".join(seen.asks)
    next_step = (seen.next_step or asks) if word in {"waiting", "refused"} else ""
    unproved = (*seen.unproved, *seen.unconfirmed)
    if word == "revoked":  # who takes values by hand is broken on purpose, and named in the reason
        next_step, unproved = asks, seen.unproved
    if unproved and (word in DONE or word == "waiting"):
        word, reason = "unproved", "; ".join(unproved)
        next_step = " ".join(filter(None, (SEE_TO, asks)))
    made = replace(_made(seen, look, word, reason), next_step=next_step, old_value=seen.old_value)
    return replace(
        made,
        new_value=Answer.WORKS if seen.has_promoted else None,
        needs_approval=seen.needs_approval,
        only_words_missing=word == "unproved" and not seen.unproved,
    )


def failed(seen: Seen, error: RotationError, look: Look | None) -> Outcome:
    """How an attempt ended that something kept from its end; what still logs in is asked, if need be."""
    old, new = _what_works(look) if look is not None and error.outcome == "failed" else (None, None)
    lost = isinstance(error, (ApplyUnknown, VaultUnknown))
    outage = old is Answer.REFUSED and new is Answer.WORKS
    what, next_step = error.what, error.next_step
    if outage and look is not None:
        what, next_step = only_the_new_one_works(seen.credential, look.newest_epoch, error)
    made = _made(seen, look, error.outcome, what)
    return replace(made, next_step=next_step, old_value=old, new_value=new, is_urgent=lost or outage)


def _word(seen: Seen, look: Look | None) -> tuple[str, str]:
    """The strongest of what was done, and its reason."""
    reasons = {**seen.reasons, **_revoked(seen, look)}
    word = next((word for word in _STRONGEST_FIRST if word in reasons), None)
    if word is None:
        return "unchanged", "works, nothing is open"
    return ("waiting" if word == RETIRE_WAITS else word), reasons[word]


def _revoked(seen: Seen, look: Look | None) -> dict[str, str]:
    """Compromise mode is through only where nothing from before the request is alive.

    Whoever comes back after a kill in the middle finds the new version there, and only ends the old ones.
    """
    own = look.own if look is not None else None
    if seen.revokes_since is None or look is None or own is None or look.older:
        return {}
    if "rotated" not in seen.reasons and own.written < seen.revokes_since:
        return {}
    made = seen.reasons.get("rotated") or f"version {own.epoch} is CURRENT"
    return {"revoked": "; ".join([made, "every value from before is dead", *seen.broken])}


def _made(seen: Seen, look: Look | None, word: str, reason: str) -> Outcome:
    own = look.own if look is not None else None
    return replace(
        told(seen.credential, word, reason),
        version=own.epoch if own else None,
        act_by=_act_by(seen, word, own),
        until=seen.until,
        waits_for=seen.waits_for,
        attempt=seen.attempt,
        consumers=seen.consumers,
        steps=seen.steps,
    )


def _act_by(seen: Seen, word: str, own: Record | None) -> datetime | None:
    """Of a version that we did not make nobody knows the age."""
    if word in DONE or own is None or own.epoch == UNMANAGED_EPOCH:
        return None
    return promised_until(seen.credential.policy, own.written)


def _what_works(look: Look) -> tuple[Answer | None, Answer | None]:
    """Whether CURRENT and the newest open version log in; asks only what has not been answered."""
    current = look.stored.current
    if current is None:
        return None, None
    old = (look.known(current.secret) or look.ask(current.secret)).answer
    if not look.newer:
        return old, None
    newest = look.newer[0].secret
    return old, (look.known(newest) or look.ask(newest)).answer
