"""What an outcome means to the person who is woken by it, in a few plain words.

Rules this file keeps:
- The first question is whether anybody can still log in, and with which value.
- What was not asked and what was not answered are told apart, and neither is taken for a yes or a no.
- Signs are for speed; the words beside them say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone

from credential_rotation.outcome import DONE, HEALS_BY_ITSELF, OutcomeDict

CHECK = "check"
"""The work that changes nothing."""
REVOCATION = "revocation"
"""Compromise mode: the value before may be in wrong hands."""
_CALLED = {"postgres": "password"}
"""What people call the value; where nothing else is said, it is a value."""

_STANDS = {
    ("works", "works"): "the old {thing} still works",
    ("works", "refused"): "the old {thing} still works",
    ("works", "unknown"): "the old {thing} still works",
    ("works", None): "the old {thing} still works",
    ("refused", "works"): "only the new {thing} works, and consumers still get the old one",
    ("refused", "refused"): "neither the old {thing} nor the new one works",
    ("refused", "unknown"): "the old {thing} is refused, the new one not known",
    ("refused", None): "the stored {thing} is refused",
    ("unknown", "works"): "the new {thing} works, the old one is not known",
    (None, "works"): "the new {thing} works, the old one is not known",
}
_ANSWERS = {
    "works": "✅ works",
    "refused": "❌ refused",
    "unknown": "❓ not known (no answer)",
}
REVOKE_AGAIN = (
    "Scheduled runs see it through once the new version is on record, and begin none: ask for compromise "
    "mode again, or `python -m credential_rotation revoke`, until it ends as revoked."
)
_HEALS = {
    "failed": "Maybe: every run tries again",
    "unproved": "Maybe: every run asks again",
    "busy": "Yes: another run has it and will finish",
    "waiting": "Yes, what was begun: a later run goes on from here",
}
_NEXT = {
    "unproved": "See to what is named above; the next run asks again.",
    "broken": "Open the log. It names who cannot log in, and what was answered.",
    "failed": "Open the log, mend what it names, then run the DAG again: it goes on where it stopped.",
    "refused": "Mend what is named above, then run the DAG again.",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """One outcome as the message tells it."""

    thing: str
    """What people call the value: password, key, value."""
    words: str
    """What happened and what still works, after the credential's name."""
    old: str
    new: str
    heals: str
    next_step: str
    urgency: int
    """0: logins fail now; the higher, the less it hurries."""

    @property
    def is_lockout(self) -> bool:
        """Who reads the credential cannot log in with it."""
        return self.urgency == 0


def needs_a_person(outcome: OutcomeDict, work: str) -> bool:
    """Whether anybody has to be told: it is not done, and does not heal by itself.

    No scheduled run begins a revocation, so that one that only waits does not heal.
    """
    return outcome["outcome"] not in (DONE if work == REVOCATION else DONE | HEALS_BY_ITSELF)


def situation(outcome: OutcomeDict, work: str) -> Situation:
    """What this outcome of this kind of work ("rotation", "check") means."""
    word, old, new = outcome["outcome"], outcome["old_value"], outcome["new_value"]
    thing = _CALLED.get(outcome["engine"], "value")
    told = Situation(
        thing=thing,
        words=_words(word, old, new, thing, work),
        old=_old(word, old),
        new=_new(word, old, new),
        heals=_heals(outcome),
        next_step=outcome["next_step"]
        or _NEXT.get(word, "Nothing." if word in DONE | HEALS_BY_ITSELF else "Open the log."),
        urgency=_urgency(word, old),
    )
    return _of_a_revocation(told, outcome) if work == REVOCATION and word not in DONE else told


def _of_a_revocation(told: Situation, outcome: OutcomeDict) -> Situation:
    """A value that works is no comfort where it may be in wrong hands."""
    stands = {
        "works": f"the old {told.thing} still works",
        "refused": f"the old {told.thing} is refused",
    }.get(outcome["old_value"] or "", f"whether the old {told.thing} is dead is not known")
    said = outcome["next_step"]
    return replace(
        told,
        words=f"revocation not finished — {stands}",
        old="⚠️ still works, and may be in wrong hands" if outcome["old_value"] == "works" else told.old,
        heals="Not for certain: only compromise mode ends the old value at once",
        next_step=f"{said} {REVOKE_AGAIN}" if said else REVOKE_AGAIN,
        urgency=min(told.urgency, 1),
    )


def _words(word: str, old: str | None, new: str | None, thing: str, work: str) -> str:
    if word == "failed":
        stands = _STANDS.get((old, new), "whether the {thing} still works is not known")
        return f"{work} failed — {stands.format(thing=thing)}"
    if word == "unproved":
        return _unproved(old, new, thing, work)
    if word == "broken":
        return _broken(old, new, thing)
    return {
        "refused": f"{work} refused — nothing was changed",
        "busy": f"{work} is busy — another run has it",
        "waiting": f"{work} waits — nothing new was begun",
    }.get(word, f"{word} — nothing to do" if word in DONE else f"{work} ended as {word}")


def _unproved(old: str | None, new: str | None, thing: str, work: str) -> str:
    if work == CHECK:
        return f"not all is proved — the {thing} works where it could be asked"
    done = "rotated" if new is not None else "not proved"
    if old == "works":
        return f"{done}, but the old {thing} works too" if new else f"{done} — the old {thing} still works"
    if new == "works":
        return f"rotated, but not all is proved — the new {thing} works"
    return f"not all is proved — see which {thing} is named"


def _broken(old: str | None, new: str | None, thing: str) -> str:
    if "works" in (old, new):
        return f"broken — the {thing} works, but not everywhere it is used"
    if "refused" in (old, new):
        return f"broken — the stored {thing} is refused"
    return f"broken — a login fails where the {thing} is used"


def _old(word: str, old: str | None) -> str:
    if old is None:
        return "not asked, and not touched" if word in {"refused", "busy", "waiting"} else "❓ not known"
    if word == "unproved" and old == "works":
        return "⚠️ still works, and should not"
    if word == "unproved" and old == "refused":
        return "✅ refused, as it should be"
    return "✅ still works" if old == "works" else _ANSWERS.get(old, "❓ not known")


def _new(word: str, old: str | None, new: str | None) -> str:
    if new is not None:
        return _ANSWERS.get(new, "❓ not known")
    if word in {"refused", "busy", "waiting"}:
        return "none was made"
    return "there is none yet" if word == "failed" and old is not None else "❓ not known"


def _heals(outcome: OutcomeDict) -> str:
    word = outcome["outcome"]
    if word in DONE:
        return "there is nothing to heal"
    if word == "failed" and (outcome["old_value"], outcome["new_value"]) == ("refused", "works"):
        return "Probably, with the next run; run it now to be quicker"
    said = _HEALS.get(word, "No: it stays so until a person acts")
    return f"{said}, not before {moment(outcome['until'])}" if outcome["until"] else said


def _urgency(word: str, old: str | None) -> int:
    if word in {"failed", "broken"} and old == "refused":
        return 0
    if word == "broken":
        return 1
    if word == "failed":
        return 3 if old == "works" else 2
    return 4 if word == "unproved" else 5


def moment(text: str) -> str:
    """A moment as people write it; ours are always UTC."""
    return datetime.fromisoformat(text).astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
