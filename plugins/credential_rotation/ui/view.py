"""What the page shows, as plain JSON: the list, its pictures, and one credential in detail.

Rules this file keeps:
- Pure. Nothing comes out that status, outcomes and readers do not say already: no value is in any of them.
- What a run said after the planners' status replaces what that says of the version.
- Where the planners cannot tell which of two versions is in use, the run that made one of them CURRENT can.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from credential_rotation.approvers import WITH_APPROVAL
from credential_rotation.engines.registry import CLOUD, DATABASES
from credential_rotation.outcome import DONE, HEALS_BY_ITSELF
from credential_rotation.state.history import KEEP_RUNS
from credential_rotation.ui.handed_on import awaited
from credential_rotation.ui.shelf import Document, Row
from credential_rotation.ui.standing import Standing, moment, standing

ROTATING = {
    **dict.fromkeys(DATABASES, "rotate_database_credentials"),
    **dict.fromkeys(CLOUD, "rotate_cloud_credentials"),
}
"""Which DAG rotates what."""
_ENGINES = {"postgres": "PostgreSQL", "aws_iam": "AWS IAM", "manual": "By hand"}
_STRATEGIES = {
    "in_place": "in place",
    "alternating": "two roles in turn",
    "overlapping": "two keys overlap",
    "by_hand": "a person changes it",
}
_STALE = timedelta(hours=3)
_UNHEARD = timedelta(days=1)
_MADE = frozenset({"rotated", "revoked", "recovered", "adopted", "closed"})
_SHARES = ("under 25 %", "25 to 50 %", "50 to 75 %", "75 to 100 %", "too old")
Readers = Mapping[str, list[dict[str, Any]]]


def list_view(
    status: Document | None, rows: Sequence[Row], readers: Readers, now: datetime
) -> dict[str, Any]:
    """All credentials and the pictures over them."""
    if status is None:
        return {"now": now.isoformat(), "as_of": None, "stale": False, "problems": [], "credentials": []}
    as_of = str(status.get("written", ""))
    written = moment(as_of)
    credentials = credential_rows(status, rows, readers, now)
    return {
        "now": now.isoformat(),
        "as_of": as_of,
        "stale": written is None or written + _STALE < now,
        "problems": [str(one) for one in status.get("problems") or ()],
        "credentials": credentials,
        "ages": ages(credentials),
        "days": days(rows, now),
    }


def credential_rows(
    status: Document, rows: Sequence[Row], readers: Readers, now: datetime
) -> list[dict[str, Any]]:
    """One row for each entry of the inventory."""
    said: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.at):
        said[row.name].append(row)
    as_of = str(status.get("written", ""))
    entries = [one for one in status["credentials"] if isinstance(one, dict) and one.get("name")]
    return [_row(one, said[one["name"]], readers, now, as_of) for one in entries]


def _row(
    entry: Mapping[str, Any], said: Sequence[Row], readers: Readers, now: datetime, as_of: str
) -> dict[str, Any]:
    entry = {**_overtaken(entry, said, as_of), "awaits": awaited(entry, said, as_of=as_of)}
    policy = entry.get("policy") or {}
    written = moment(entry.get("written"))
    age = (now - written).total_seconds() if written else None
    max_age = policy.get("max_age")
    told = standing(entry, said, now, as_of=as_of)
    engine, strategy = str(entry.get("engine", "")), str(entry.get("strategy", ""))
    is_guarded = bool(policy.get("approval")) and engine in ROTATING
    return {
        **{
            name: entry.get(name)
            for name in ("name", "owner", "where", "version", "may_be", "written", "due", "act_by")
        },
        "tags": list(entry.get("tags") or ()),
        "engine": _ENGINES.get(engine, engine),
        "strategy": _STRATEGIES.get(strategy, strategy),
        "dag": WITH_APPROVAL if is_guarded else ROTATING.get(engine),
        "needs_approval": is_guarded,
        "is_key": engine in CLOUD,
        "policy": policy.get("words", ""),
        "age": age,
        "share": age / max_age if age is not None and max_age else None,
        "last": _last(said),
        "readers": _readers(entry, readers),
        "awaits": entry["awaits"],
        **_told(told),
    }


def _told(told: Standing) -> dict[str, Any]:
    return {"state": asdict(told)}


def _overtaken(entry: Mapping[str, Any], said: Sequence[Row], as_of: str) -> Mapping[str, Any]:
    """The entry with the version that a run has made since the planners looked."""
    newer = [one for one in said if one.at > as_of and one.outcome in _MADE and one.written]
    may_be = entry.get("may_be") or ()
    made = newer or [one for one in said if one.written and one.version in may_be]
    if not made:
        return entry
    last, may_be = made[-1], [] if newer else may_be
    told = {"version": last.version, "written": last.written, "due": last.due, "act_by": last.act_by}
    return {**entry, **told, "may_be": may_be}


def _last(said: Sequence[Row]) -> dict[str, Any] | None:
    if not said:
        return None
    last = said[-1]
    return {"outcome": last.outcome, "level": level(last.outcome), "at": last.at, "reason": last.reason}


def level(outcome: str) -> str:
    """How an outcome is coloured."""
    if outcome in DONE:
        return "good"
    return "warn" if outcome in HEALS_BY_ITSELF else "bad"


def readers_by_place(documents: Iterable[Document], now: datetime) -> Readers:
    """Who read what, by the key in the vault; of agents that were heard of today."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for document in documents:
        written = moment(document.get("written"))
        if written is None or written + _UNHEARD < now:
            continue
        for one in document["readers"]:
            if isinstance(one, dict) and one.get("key") and not one.get("hands_on"):
                kept = ("dag", "task", "run", "user", "program", "version", "last", "pid")
                reader = {name: one.get(name) for name in kept}
                found[str(one["key"])].append({**reader, "host": document.get("host")})
    return found


def _readers(entry: Mapping[str, Any], readers: Readers) -> list[dict[str, Any]]:
    return readers.get(str((entry.get("vault") or {}).get("key")), [])


def ages(credentials: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How many credentials are how old, measured by what their policy promises."""
    counts = Counter(min(int(one["share"] * 4), 4) for one in credentials if one["share"] is not None)
    return [{"share": words, "count": counts[place]} for place, words in enumerate(_SHARES)]


def days(rows: Sequence[Row], now: datetime) -> list[dict[str, Any]]:
    """New versions and failures of each of the last 90 days; what was only looked at counts as neither."""
    made: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for row in rows:
        day = row.at[:10]
        if row.outcome in _MADE:
            made[day] += 1
        elif level(row.outcome) == "bad":
            failed[day] += 1
    every = [(now - timedelta(days=age)).strftime("%Y-%m-%d") for age in range(KEEP_RUNS.days - 1, -1, -1)]
    return [{"day": day, "rotated": made[day], "failed": failed[day]} for day in every]


def detail_view(entry: Document, row: Mapping[str, Any], outcomes: Sequence[Document]) -> dict[str, Any]:
    """One credential: where and how it is kept, and what became of it, newest first."""
    kept = ("principals", "consumers", "source", "vault", "has_current", "is_open", "open_until")
    return {
        **row,
        **{name: entry.get(name) for name in (*kept, "by_hand")},
        "policy_detail": entry.get("policy") or {},
        "outcomes": [_outcome(one) for one in outcomes],
    }


def _outcome(document: Document) -> dict[str, Any]:
    asked = document.get("asked") if isinstance(document.get("asked"), dict) else {}
    told = ("at", "outcome", "version", "reason", "next_step", "until", "old_value", "new_value")
    log = (
        "by", "why", "approved_by", "dag_id", "run_id", "task_id", "map_index", "try_number", "compromise",
    )  # fmt: skip
    return {
        **{name: document.get(name) for name in told},
        "level": level(str(document.get("outcome"))),
        "asked": {name: (asked or {}).get(name) for name in log},
        "steps": _steps(document.get("steps"), is_timed=document.get("outcome") != "closed"),
    }


def _steps(steps: object, *, is_timed: bool) -> list[dict[str, Any]]:
    """Each with the milliseconds that it took: since the step before it was done.

    What a person closes is not timed: it begins on the day of the change.
    """
    if not isinstance(steps, list):
        return []
    told = [one for one in steps if isinstance(one, dict) and moment(one.get("at"))]
    found, before = [], None
    for one in told:
        at = moment(one["at"])
        took = (at - before) // timedelta(milliseconds=1) if at and before and is_timed else 0
        found.append({"step": str(one.get("step")), "at": one["at"], "detail": one.get("detail"), "ms": took})
        before = at
    return found
