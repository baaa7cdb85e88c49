"""What is kept for people to look back at: status of the inventory, outcomes with their steps, runs.

Rules this file keeps:
- Outcomes and runs are written once, under a name of their own; only a planner's status is replaced,
  and what a task tells again of the same moment.
- A folder that cannot be written never fails a rotation: it is one warning in the log.
- Nothing is kept that an outcome would not tell anybody: no value, and no text that a server echoed.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from bitwarden_vault.state_folder import StateFolder, StateUnavailable, state_folder
from bitwarden_vault.state_settings import PATH
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome, Shows
from credential_rotation.planning.status_rows import SCHEMA, moments

log = logging.getLogger(__name__)

STATUS, HISTORY, RUNS = "status", "history", "runs"
KEEP_OUTCOMES = timedelta(days=400)
KEEP_RUNS = timedelta(days=90)
DAY = "%Y-%m-%d"
_QUIET = frozenset({"ok", "unchanged", "waiting", "busy", "planned"})
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_~-]")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wanted it, why, and where its log is."""

    by: str
    why: str | None = None
    dag_id: str = ""
    run_id: str = ""
    task_id: str = ""
    map_index: int = -1
    try_number: int = 0
    log_url: str = ""
    compromise: bool = False
    """The value may have been in wrong hands."""
    approved_by: str = ""
    """Who said yes, where the policy asks for that."""
    approved_at: str = ""

    @property
    def is_by_hand(self) -> bool:
        """A person asked, and is owed an answer also where nothing was done."""
        return self.by != "schedule"


def is_kept(environ: Mapping[str, str]) -> bool:
    """Whether this process knows the folder of its Airflow; a shell elsewhere makes none of its own."""
    return any(environ.get(name, "").strip() for name in (PATH, "AIRFLOW_HOME"))


def keep_status(environ: Mapping[str, str], planner: str, document: Mapping[str, Any]) -> None:
    """What a planner knows of the whole inventory, in place of what it knew before."""
    _keep(environ, f"{STATUS}/{in_a_name(planner)}", document)


def keep_outcome(
    environ: Mapping[str, str], credential: Credential, outcome: Outcome, asked: Asked, *, now: datetime
) -> None:
    """One attempt with its steps, unless it found that there was nothing to do."""
    if not is_eventful(outcome, asked):
        return
    at = outcome.steps[-1].at if outcome.steps else now
    document = {
        "schema": SCHEMA,
        "at": at.isoformat(),
        **outcome.as_dict(),
        **version_made(credential, outcome),
        "asked": asdict(asked),
    }
    name = f"{stamp(at)}-{outcome.outcome}-{_whose(asked)}"
    _keep(environ, f"{folder_of(credential.name)}/{name}", document)


def _whose(asked: Asked) -> str:
    """One task of one run; each command is another one."""
    if not asked.run_id:
        return secrets.token_hex(4)
    return _digest(f"{asked.dag_id} {asked.run_id} {asked.task_id} {asked.map_index}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def keep_run(  # noqa: PLR0913 - what a report knows
    environ: Mapping[str, str],
    asked: Asked,
    rows: Sequence[Mapping[str, Any]],
    *,
    missing: Sequence[str] = (),
    trouble: str | None = None,
    now: datetime,
) -> None:
    """What became of each credential in one run, in few words; a run about nothing leaves nothing."""
    if not rows and not missing and not trouble:
        return
    document = {
        "schema": SCHEMA,
        "written": now.isoformat(),
        "asked": asdict(asked),
        "rows": [_compact(row, now) for row in rows],
        "missing": list(missing),
        "trouble": trouble,
    }
    run = _digest(asked.run_id) if asked.run_id else secrets.token_hex(6)
    who = in_a_name(asked.dag_id or "command-line")
    _keep(environ, f"{RUNS}/{now.strftime(DAY)}/{stamp(now)}-{who}-{run}", document)


def keep_command(
    environ: Mapping[str, str],
    credentials: Sequence[Credential],
    outcomes: Sequence[Outcome],
    asked: Asked,
    *,
    now: datetime,
) -> None:
    """What one command did: each outcome, and all of them as a run."""
    for credential, outcome in zip(credentials, outcomes, strict=True):
        keep_outcome(environ, credential, outcome, asked, now=now)
    keep_command_run(environ, credentials, outcomes, asked, now=now)


def keep_command_run(
    environ: Mapping[str, str],
    credentials: Sequence[Credential],
    outcomes: Sequence[Outcome],
    asked: Asked,
    *,
    now: datetime,
) -> None:
    """One command as a run, whose outcomes are kept; a dry run did nothing."""
    done = [pair for pair in zip(credentials, outcomes, strict=True) if pair[1].outcome != "planned"]
    rows = [{**outcome.as_dict(), **version_made(credential, outcome)} for credential, outcome in done]
    keep_run(environ, asked, rows, now=now)


def is_eventful(outcome: Outcome, asked: Asked) -> bool:
    """Whether anybody would want to see it later."""
    if outcome.outcome == "planned":  # a dry run did nothing
        return False
    if outcome.outcome not in _QUIET:
        return True
    if asked.is_by_hand and outcome.outcome in {"waiting", "busy"}:
        return True
    return any(not step.is_routine for step in outcome.steps[:-1])


def version_made(credential: Credential, outcome: Outcome) -> dict[str, str | None]:
    """When the version was made that this attempt left as CURRENT, and what follows from it."""
    when = {step.fact.shows: step.at for step in outcome.steps if step.fact}
    if outcome.outcome == "closed":
        return moments(credential.policy, when[Shows.CHANGED_BY_HAND])
    promoted = when.get(Shows.PROMOTED) if outcome.version else None
    return moments(credential.policy, promoted and when.get(Shows.RECORDED, promoted))


def prune(environ: Mapping[str, str], now: datetime) -> int:
    """Remove what is older than anybody looks at; how many."""
    folder, removed = state_folder(environ), 0
    try:
        for credential in folder.folders(HISTORY):
            removed += _without(folder, _older(folder.names(credential), now - KEEP_OUTCOMES))
        for day in folder.folders(RUNS):
            if day.rpartition("/")[2] < (now - KEEP_RUNS).strftime(DAY):
                removed += _without(folder, folder.names(day))
                folder.remove_empty(day)
    except StateUnavailable as why:
        log.warning("old history is not removed: %s", why)
    return removed


def _older(names: Sequence[str], than: datetime) -> list[str]:
    return [name for name in names if name.rpartition("/")[2] < stamp(than)]


def _without(folder: StateFolder, names: Sequence[str]) -> int:
    for name in names:
        folder.remove(name)
    return len(names)


def _keep(environ: Mapping[str, str], name: str, document: Mapping[str, Any]) -> None:
    try:
        state_folder(environ).write(name, document)
    except StateUnavailable as why:
        log.warning("this is not kept for the page: %s", why)


def _compact(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    kept = (
        *("name", "outcome", "version", "reason", "next_step", "until", "written", "due", "act_by"),
        "only_words_missing",
    )
    steps = row.get("steps") or []
    return {"at": steps[-1]["at"] if steps else now.isoformat(), **{name: row.get(name) for name in kept}}


def stamp(at: datetime) -> str:
    """A moment in a name: names in order are moments in order."""
    utc = at.astimezone(timezone.utc)
    return f"{utc:%Y%m%dT%H%M%S}{utc.microsecond // 1000:03d}Z"


def folder_of(credential: str) -> str:
    """Where the outcomes of one entry are."""
    return f"{HISTORY}/{in_a_name(credential)}"


def in_a_name(text: str) -> str:
    """A name never leaves its folder, and a folder's name has no dot."""
    return _NOT_IN_A_NAME.sub("_", text.replace(".", "~")) or "_"
