"""Metrics through Airflow's own: outcome, duration and age of each credential, for StatsD and OpenTelemetry.

Rules this file keeps:
- Names and tags hold names and words, never a value.
- Each is told twice, with tags and with the credential in its name: Airflow's StatsD has no tags unless it is
  told so. A full stop in a credential's name is `__` there, as Airflow writes them.
- Of what names do not tell no age is told: a version that is begun only would make an old value young.
- A metric that cannot be told is a line in the log: no rotation depends on it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from credential_rotation.model import UNMANAGED_EPOCH, Credential
from credential_rotation.outcome import Outcome
from credential_rotation.planning.planning import Known, in_use
from credential_rotation.times.schedule import promised_until

log = logging.getLogger(__name__)

PREFIX = "credential_rotation"


def tell_outcome(outcome: Outcome) -> None:
    """One attempt is over: how it ended, and how long it took."""
    tags = {"credential": outcome.name, "engine": outcome.engine, "outcome": outcome.outcome}
    name = _in_a_name(outcome.name)
    _tell("incr", "outcome", f"{name}.{outcome.outcome}", tags)
    if len(outcome.steps) > 1 and outcome.outcome != "closed":  # that began on the day of the change
        took = outcome.steps[-1].at - outcome.steps[0].at
        _tell("timing", "duration", name, tags, took)


def tell_ages(credentials: Iterable[Credential], known: Mapping[str, Known], now: datetime) -> None:
    """How old each version is, and how long it may still be in use; less than nothing where it is overdue."""
    for one in credentials:
        own = in_use(one, known[one.name])
        if own is None or own.epoch == UNMANAGED_EPOCH:
            continue
        tags = {"credential": one.name, "engine": one.engine, "owner": one.owner}
        name = _in_a_name(one.name)
        _tell("gauge", "age", name, tags, _seconds(now - own.written))
        until = promised_until(one.policy, own.written)
        if until is not None:
            _tell("gauge", "left", name, tags, _seconds(until - now))


def _tell(kind: str, what: str, in_name: str, tags: dict[str, str], *value: object) -> None:
    try:
        stats = _stats()
        getattr(stats, kind)(f"{PREFIX}.{what}", *value, tags=tags)
        getattr(stats, kind)(f"{PREFIX}.{what}.{in_name}", *value)
    except Exception as wrong:  # noqa: BLE001 - a metric must never stop a rotation
        log.info("the metric %s was not told: %s", what, type(wrong).__name__)


def _stats() -> ModuleType | Any:  # noqa: ANN401 - a module since 3.3, a class before
    try:
        from airflow.sdk.observability import stats  # noqa: PLC0415 - where it is depends on the version
    except ImportError:
        from airflow.stats import Stats  # noqa: PLC0415 - before 3.3

        return Stats
    return stats


def _in_a_name(credential: str) -> str:
    return credential.replace(".", "__")


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
