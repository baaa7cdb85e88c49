"""An organisation's credentials in the state folder, written by the code that tasks write it with.

Every state that the page tells is there; names are made up, and so are all moments before `now`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bitwarden_vault.state_folder import state_folder
from credential_rotation.journal.records import RecordName
from credential_rotation.model import Answer, Consumer, Credential, Policy, Strategy, Target, VaultPlace
from credential_rotation.outcome import Fact, Outcome, Shows, Step, told
from credential_rotation.planning.planning import Known
from credential_rotation.planning.status_rows import moments, status_document
from credential_rotation.state.history import Asked, keep_outcome, keep_run, keep_status

DAY = timedelta(days=1)
QUARTERLY = Policy("quarterly", max_age=90 * DAY, grace=2 * DAY)
MONTHLY = Policy("monthly", max_age=30 * DAY, grace=7 * DAY)
BY_HAND = Policy("manual")
TEAMS = ("data-platform", "analytics", "finance", "orders", "search")
NAMES = (
    "warehouse-etl", "billing-ledger", "reporting", "orders-api", "exports-uploader", "search-index",
    "crm-sync", "payments-read", "risk-models", "marketing-lake", "warehouse-admin", "backup-writer",
)  # fmt: skip
STEPS = (
    ("locked", 40, ""),
    ("recorded", 310, "version {0}"),
    ("applied", 95, "version {0}"),
    ("verified", 60, "version {0} logs in"),
    ("promoted", 420, "version {0} is CURRENT"),
    ("CURRENT works", 210, "asked of db-1.internal:5432"),
    ("consumer works", 380, "airflow_connection warehouse"),
    ("old value refused", 75, "version {1}, asked of db-1.internal:5432"),
    ("retired", 290, "version {1}"),
    ("rotated", 5, "version {0} is CURRENT, and proved"),
)
SHOWN = {
    "recorded": (Shows.RECORDED, None, ""),
    "verified": (Shows.NEW_VALUE, Answer.WORKS, "the primary"),
    "promoted": (Shows.PROMOTED, None, ""),
    "CURRENT works": (Shows.CURRENT, Answer.WORKS, "db-1.internal:5432"),
    "consumer works": (Shows.CONSUMER, Answer.WORKS, "airflow_connection warehouse"),
    "old value refused": (Shows.OLD_VALUE, Answer.REFUSED, "db-1.internal:5432"),
    "retired": (Shows.RETIRED, None, ""),
}
"""The facts of these steps: what, the answer, where."""
OF_THE_VERSION_BEFORE = (Shows.OLD_VALUE, Shows.RETIRED)
DOWN = "db-1.internal:5432 does not answer: connection refused"
DOWN_NEXT = "Nothing was changed and the old value works. Bring the target back; the next hour tries again."
SCHEDULE = Asked("schedule", None, "rotate_database_credentials", "scheduled__2026-11-26T09:00:00+00:00")


def credential(number: int) -> Credential:
    """One of many, by its number."""
    group, place = divmod(number, len(NAMES))
    is_key = NAMES[place] in {"exports-uploader", "backup-writer"}
    name = NAMES[place] + (f"-{group:03d}" if group else "")
    policy = (
        BY_HAND if NAMES[place] == "warehouse-admin" else (MONTHLY if is_key or place % 4 == 1 else QUARTERLY)
    )
    if NAMES[place] == "marketing-lake":
        policy = replace(policy, pause=True)
    return Credential(
        name=name,
        engine="aws_iam" if is_key else "postgres",
        strategy=Strategy.OVERLAPPING
        if is_key
        else (Strategy.ALTERNATING if place % 3 == 1 else Strategy.IN_PLACE),
        principals=(name.replace("-", "_"),),
        target=Target("", {"region": "eu-central-1"})
        if is_key
        else Target(f"db-{1 + number % 4}.internal", {"port": "5432", "dbname": "warehouse"}),
        vault=VaultPlace("data-platform", "json", f"airflow/connections/{name.replace('-', '_')}"),
        policy=policy,
        owner=TEAMS[number % len(TEAMS)],
        source=f"include/credentials/warehouse.yaml:{2 + 9 * number}",
        consumers=(Consumer("airflow_connection", "warehouse"),) if place == 0 else (),
        tags=("pci",) if place in {1, 7} else ("nightly",) if place in {0, 2} else (),
    )


def age_of(one: Credential, number: int) -> timedelta:
    """Spread over what its policy allows; `risk-models` is overdue."""
    limit = one.policy.max_age or 200 * DAY
    return limit + 4 * DAY if one.name.startswith("risk-models") else limit * ((number * 37) % 97) / 100


def fill(environ: Mapping[str, str], count: int, now: datetime) -> list[Credential]:
    """Status, 90 days of runs, and the outcomes of the first credential and of one that failed."""
    fleet = [credential(number) for number in range(count)]
    known = {one.name: _known(one, number, now) for number, one in enumerate(fleet)}
    keep_status(environ, "retire_credentials", status_document(fleet, known, problems=[], now=now))
    for age in range(89, 0, -1):
        rows = [
            _row(one, number, now - age * DAY) for number, one in enumerate(fleet) if _happens(number, age)
        ]
        keep_run(environ, replace(SCHEDULE, run_id=f"run-{age}"), rows, now=now - age * DAY)
    in_grace = [
        {**told(one, "rotated", "done", version=4).as_dict(), **moments(one.policy, now - 3 * DAY)}
        for number, one in enumerate(fleet)
        if _is_in_grace(number)
    ]
    keep_run(environ, replace(SCHEDULE, run_id="run-grace"), in_grace, now=now - 3 * DAY)
    proved = [{**told(one, "ok", "CURRENT works").as_dict()} for one in fleet if "crm" not in one.name]
    verify = Asked("schedule", None, "verify_credentials", "scheduled__verify")
    keep_run(environ, verify, proved, now=now - timedelta(hours=5))
    _failure(environ, fleet[3], now - timedelta(minutes=28))
    for age, version in ((170, 2), (85, 3), (1, 4)):
        asked = SCHEDULE if version < 4 else replace(SCHEDULE, by="anna", why="a laptop was lost")
        keep_outcome(environ, fleet[0], rotated(fleet[0], version, now - age * DAY), asked, now=now)
    state_folder(environ).write("readers/host-a", _readers(fleet, now))
    return fleet


def rotated(one: Credential, version: int, at: datetime) -> Outcome:
    """An attempt that went well."""
    steps, when = [], at
    for name, took, detail in STEPS:
        when += timedelta(milliseconds=took)
        steps.append(Step(name, when, detail.format(version, version - 1), _fact(name, version)))
    made = told(one, "rotated", f"version {version} is CURRENT, and proved")
    return replace(
        made, version=version, steps=tuple(steps), old_value=Answer.REFUSED, new_value=Answer.WORKS
    )


def _fact(name: str, version: int) -> Fact | None:
    if name not in SHOWN:
        return None
    shows, answer, where = SHOWN[name]
    return Fact(shows, version - (shows in OF_THE_VERSION_BEFORE), answer, where)


def _happens(number: int, age: int) -> bool:
    """About every sixth week, spread as jitter spreads it."""
    return (number * 7919 + age * age * 31 + age) % 41 == 0


def _failure(environ: Mapping[str, str], one: Credential, at: datetime) -> None:
    outcome = replace(
        told(one, "failed", DOWN, next_step=DOWN_NEXT), version=3, steps=(Step("failed", at, DOWN),)
    )
    keep_outcome(environ, one, outcome, SCHEDULE, now=at)
    keep_run(environ, replace(SCHEDULE, run_id="run-now"), [outcome.as_dict()], now=at)


def _is_in_grace(number: int) -> bool:
    return number % len(NAMES) == 1


def _known(one: Credential, number: int, now: datetime) -> Known:
    if one.name.startswith("search-index"):
        return Known((), has_current=True)
    age = age_of(one, number)
    if number == 3:  # due since yesterday, and its target is down
        age = QUARTERLY.max_age + 4 * timedelta(hours=1) if QUARTERLY.max_age else age
    is_open = _is_in_grace(number)
    if is_open:
        age = 3 * DAY
    names = [RecordName(f"id-{number}", one.name, 4, now - age, "a1")]
    if is_open:
        names.append(RecordName(f"old-{number}", one.name, 3, now - 80 * DAY, "a0"))
    return Known(tuple(names), has_current=True)


def _row(one: Credential, number: int, at: datetime) -> dict[str, Any]:
    fails = (number * 7 + at.toordinal()) % 11 == 0
    outcome = replace(told(one, "failed", DOWN, next_step=DOWN_NEXT), steps=(Step("failed", at),))
    done = replace(
        told(one, "rotated", "version 4 is CURRENT, and proved"), version=4, steps=(Step("rotated", at),)
    )
    return {**(outcome if fails else done).as_dict()}


def _readers(fleet: list[Credential], now: datetime) -> dict[str, Any]:
    dags = ("nightly_load", "reload_marts", "export_invoices")
    read = {"task": "load", "version": 4, "newest": 4, "program": "airflow task ru", "last": now.isoformat()}
    readers = [
        {**read, "key": one.vault.key, "dag": dag, "run": f"scheduled__{place}", "pid": 4000 + place}
        for place, one in enumerate(fleet[:4])
        for dag in dags[: 1 + place % 3]
    ]
    return {"schema": 1, "host": "worker-1", "written": now.isoformat(), "readers": readers}
