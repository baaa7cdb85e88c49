"""How one credential stands, in one word, and why: what the page colours, sorts and filters by.

Rules this file keeps:
- Pure: the planners' newest status, what runs said since, and the time.
- What hourly runs mend is not asked of a person; what they have stopped trying is.
- Worst first, and the first that applies is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from credential_rotation.outcome import DONE, HEALS_BY_ITSELF
from credential_rotation.state.approvals import WAITING
from credential_rotation.ui.handed_on import is_put_right
from credential_rotation.ui.shelf import Row

VERIFIES = "verify_credentials"
TOLERANCE = timedelta(days=1)
SOON = timedelta(days=30)
"""As the digest begins to remind."""
_LATEST = 9000
"""The year."""
_MADE_NEW = frozenset({"rotated", "revoked", "recovered", "adopted", "closed"})
_WORDS = {
    "failed": "Failed",
    "broken": "Does not work",
    "refused": "Refused",
    "unproved": "Not proved",
}
_GOES_ON = "Nothing to do: a later run goes on by itself."
_LOOK_AT_RUNS = "Is the rotating DAG paused? Otherwise the logs of its runs say what keeps it."


@dataclass(frozen=True, slots=True)
class Standing:
    """A level (`bad`, `warn`, `good`, `idle`), its word, why, and what a person has to do."""

    level: str
    word: str
    why: str
    next_step: str = ""
    needs_person: bool = False
    path: str = ""
    """Where in Airflow a person acts, below its base address."""


def standing(row: Mapping[str, Any], said: Sequence[Row], now: datetime, *, as_of: str) -> Standing:
    """`row` is the entry's status as of `as_of`, `said` what runs said of it, oldest first."""
    if row.get("by_hand"):
        return _by_hand(row, row["by_hand"], now)
    due, open_until = moment(row.get("due")), moment(row.get("open_until"))
    is_open, policy = bool(row.get("is_open")), row.get("policy") or {}
    never = not row.get("version") and not row.get("may_be") and bool(policy.get("is_scheduled"))
    wants = is_open or never or (due is not None and due <= now)
    right = [one for one in said if is_put_right(one, row)]
    trouble = _trouble(said, right, wants=wants, as_of=as_of)
    told = _question(row, now) or _failed(trouble) or _awaited(row.get("awaits") or (), now)
    if told is not None:
        return told
    is_paused = bool(policy.get("pause"))
    if not is_paused and due is not None and due + TOLERANCE < now:
        return Standing("bad", "Overdue", f"since {due:%Y-%m-%d}", _LOOK_AT_RUNS, needs_person=True)
    if open_until is not None and open_until + TOLERANCE < now:
        return Standing(
            "bad", "Stuck", "something is open for longer than it may be", _LOOK_AT_RUNS, needs_person=True
        )
    if is_paused:
        return Standing("idle", "Paused", "its policy is paused: nothing new begins")
    return _quiet(row, said, now, due=due, never=never)


def _question(row: Mapping[str, Any], now: datetime) -> Standing | None:
    """A person is asked, and the question is still open."""
    asked = row.get("question")
    until = moment(asked.get("until")) if isinstance(asked, Mapping) else None
    if not isinstance(asked, Mapping) or asked.get("state") != WAITING or until is None or until < now:
        return None
    why = f"{asked.get('by')} asked for a new version; a yes counts until {until:%Y-%m-%d %H:%M} UTC"
    path = f"dags/{str(asked.get('link') or '').partition('/dags/')[2]}"
    next_step = "Say yes or no in Airflow, unless you asked for it."
    return Standing("bad", "Waits for approval", why, next_step, needs_person=True, path=path)


def _by_hand(row: Mapping[str, Any], told: Mapping[str, Any], now: datetime) -> Standing:
    """What no tool can change: it is due for a person, or will be."""
    due, next_step = moment(row.get("due")), f"{told.get('instructions')} {told.get('how')}"
    if (row.get("policy") or {}).get("pause"):
        return Standing("idle", "Paused", "its policy is paused: nobody is reminded")
    if due is None:
        why = "nobody has said yet when it was changed"
        return Standing("bad", "Never closed", why, next_step, needs_person=True)
    if due <= now:
        why = f"since {due:%Y-%m-%d}, to be changed by hand"
        return Standing("bad", "Overdue", why, next_step, needs_person=True)
    if due <= now + SOON:
        return Standing("warn", "Due soon", f"on {due:%Y-%m-%d}, to be changed by hand", next_step)
    return Standing("good", "Fine", f"a person changes it, next by {due:%Y-%m-%d}")


def _failed(trouble: Row | None) -> Standing | None:
    if trouble is None:
        return None
    word = _WORDS.get(trouble.outcome, trouble.outcome.capitalize())
    return Standing("bad", word, trouble.reason, trouble.next_step, needs_person=True)


def _awaited(people: Sequence[Mapping[str, Any]], now: datetime) -> Standing | None:
    """A new value has to be handed on; what it replaced lives on until a person says that it was."""
    if not people:
        return None
    until = min((at for one in people if (at := moment(one.get("until")))), default=None)
    by = f", by {until:%Y-%m-%d}" + (", which is over" if until <= now else "") if until else ""
    why = f"{', '.join(str(one.get('who')) for one in people)} has to be given the new value by hand{by}"
    next_step = ". ".join(str(one.get("how")) for one in people)
    return Standing("bad", "Waits for a person", why, next_step, needs_person=True)


def _quiet(
    row: Mapping[str, Any], said: Sequence[Row], now: datetime, *, due: datetime | None, never: bool
) -> Standing:
    last = said[-1] if said else None
    if last is not None and last.outcome in HEALS_BY_ITSELF:
        until = moment(last.until)
        if until is None or until > now:
            return Standing("warn", "Waiting", last.reason, last.next_step or _GOES_ON)
    if never:
        return Standing("warn", "Not rotated yet", "the first run of its DAG does it", _LOOK_AT_RUNS)
    if due is not None and due <= now:
        return Standing("warn", "Due", "the next hourly run rotates it")
    if row.get("is_open"):
        return _begun(row) or Standing("good", "In grace", "the old value lives on beside the new one")
    if not (row.get("policy") or {}).get("is_scheduled"):
        return Standing("idle", "When asked", "its policy rotates it only by hand")
    return Standing("good", "Fine", "works, and is not due")


def _begun(row: Mapping[str, Any]) -> Standing | None:
    """A version that nothing has shown to be CURRENT yet."""
    newest, *before = row.get("may_be") or (None,)
    if newest is None or row.get("version") == newest:
        return None
    why = f"version {newest} is recorded, and was not seen to become CURRENT"
    if before:
        why += f"; that holds it or version {' or '.join(map(str, before))}"
    return Standing("warn", "Begun", why, "Nothing to do: the next hourly run goes on with it.")


def _trouble(said: Sequence[Row], right: Sequence[Row], *, wants: bool, as_of: str) -> Row | None:
    """The newest failure that nothing has put right since; `right` are those that people's words have.

    Hourly runs try again what is due or open: one that they no longer try is over.
    """
    found: dict[str, Row] = {}
    for one in said:
        kind = "verify" if one.dag_id == VERIFIES else "attempt"
        if one.outcome in DONE or one in right:
            if one.outcome != "planned":
                found.pop(kind, None)
            if one.outcome in _MADE_NEW or (one in right and one.written):
                found.clear()
        elif one.outcome not in HEALS_BY_ITSELF:
            found[kind] = one
    attempt = found.get("attempt")
    if attempt is not None and attempt.outcome != "unproved" and not wants and attempt.at < as_of:
        del found["attempt"]
    return max(found.values(), key=lambda one: one.at, default=None)


def moment(text: object) -> datetime | None:
    """An ISO moment with a time zone, or None; from one near the end of all years nothing can be reckoned."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo and at.year < _LATEST else None
