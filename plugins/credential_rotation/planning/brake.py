"""Stops what begins new versions once a run goes wrong, so that one cause does not break everything.

Rules this file keeps:
- A value that does not work for those who use it counts as a failure; one that nobody could ask about not.
- What had to wait, or was refused before anything was touched, tells nothing about the cause.
- Once pulled, it stays so for the run: a later success was under way before.
"""

from __future__ import annotations

from collections.abc import Iterable

from credential_rotation.model import Answer
from credential_rotation.outcome import OutcomeDict

_FAILED = frozenset({"failed", "broken"})
_SAYS_NOTHING = frozenset({"waiting", "busy", "refused", "unchanged", "planned"})
_NAMED = 5


def brake_pulled(outcomes: Iterable[OutcomeDict], limit: int) -> str | None:
    """Why nothing new may begin in this run any more, or None; outcomes in the order in which they came."""
    row: list[str] = []
    for one in outcomes:
        if _is_failure(one):
            row.append(one["name"])
        elif one["outcome"] not in _SAYS_NOTHING:
            row.clear()
        if len(row) >= limit:
            named = f"{', '.join(row[:_NAMED])}{' …' if row[_NAMED:] else ''}"
            return f"brake: {len(row)} in a row failed ({named}); nothing new begins in this run"
    return None


def _is_failure(one: OutcomeDict) -> bool:
    is_refused = any(consumer["answer"] == Answer.REFUSED.value for consumer in one["consumers"])
    return one["outcome"] in _FAILED or (one["outcome"] == "unproved" and is_refused)
