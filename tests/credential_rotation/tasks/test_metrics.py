"""Metrics, as Airflow's own backends take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from credential_rotation.journal.records import RecordName
from credential_rotation.model import Policy
from credential_rotation.outcome import Step, told
from credential_rotation.planning.planning import Known
from simulators.scene import ETL

pytest_plugins = ["scenes.airflow.imported"]

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)


class Backend:
    """What Airflow hands to StatsD or OpenTelemetry."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, Any, dict[str, str] | None]] = []

    def incr(self, stat: str, *, tags: dict[str, str] | None = None) -> None:
        self.told.append(("incr", stat, 1, tags))

    def gauge(self, stat: str, value: float, *, tags: dict[str, str] | None = None) -> None:
        self.told.append(("gauge", stat, value, tags))

    def timing(self, stat: str, value: timedelta, *, tags: dict[str, str] | None = None) -> None:
        self.told.append(("timing", stat, value, tags))


@pytest.fixture(name="backend")
def _backend(airflow: None) -> Iterator[Backend]:  # noqa: ARG001 - Airflow is imported into a home of its own
    from airflow.sdk.observability import stats  # noqa: PLC0415 - after Airflow's home is set

    backend = Backend()
    stats.initialize(factory=lambda: backend, export_legacy_names=True)  # type: ignore[arg-type,return-value]  # all that is used
    yield backend
    stats.initialize(factory=Backend, export_legacy_names=True)  # type: ignore[arg-type]  # as above


def test_an_attempt_tells_its_outcome_and_how_long_it_took(backend: Backend) -> None:
    """With tags, and with the name in it for a StatsD without tags."""
    from credential_rotation.tasks.metrics import tell_outcome  # noqa: PLC0415 - after Airflow's home is set

    steps = (Step("locked", NOW), Step("rotated", NOW + timedelta(seconds=3)))
    tell_outcome(replace(told(replace(ETL, name="a.b"), "rotated", "done"), steps=steps))
    tags = {"credential": "a.b", "engine": ETL.engine, "outcome": "rotated"}
    assert backend.told == [
        ("incr", "credential_rotation.outcome", 1, tags),
        ("incr", "credential_rotation.outcome.a__b.rotated", 1, None),
        ("timing", "credential_rotation.duration", timedelta(seconds=3), tags),
        ("timing", "credential_rotation.duration.a__b", timedelta(seconds=3), None),
    ]


def test_what_a_person_closes_took_no_time_of_ours(backend: Backend) -> None:
    """Its first step is of the day of the change, weeks before it was said."""
    from credential_rotation.tasks.metrics import tell_outcome  # noqa: PLC0415 - after Airflow's home is set

    steps = (Step("changed by hand", NOW - 30 * DAY), Step("closed", NOW))
    tell_outcome(replace(told(ETL, "closed", "made anew"), steps=steps))
    assert [kind for kind, *_ in backend.told] == ["incr", "incr"]


def test_the_watchdog_tells_each_age_and_what_is_left(backend: Backend) -> None:
    """Overdue is less than nothing; what was never rotated, or may be begun only, has no age."""
    from credential_rotation.tasks.metrics import tell_ages  # noqa: PLC0415 - after Airflow's home is set

    entries = [replace(ETL, name=name, policy=Policy("p", max_age=90 * DAY)) for name in ("old", "new")]
    old = Known((RecordName("id", "old", 4, NOW - 91 * DAY, "a"),), has_current=True)
    just = RecordName("id-5", "begun", 5, NOW, "b")
    begun = Known((just, *old.names), has_current=True)
    entries.append(replace(entries[0], name="begun"))
    tell_ages(entries, {"old": old, "new": Known((), has_current=False), "begun": begun}, NOW)
    assert [(stat, value) for _, stat, value, tags in backend.told if tags] == [
        ("credential_rotation.age", 91 * 86400),
        ("credential_rotation.left", -86400),
    ]


def test_a_backend_that_fails_stops_nothing(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rotation is over by then, and its outcome stands."""
    from credential_rotation.tasks.metrics import tell_outcome  # noqa: PLC0415 - after Airflow's home is set

    monkeypatch.delattr(Backend, "incr")
    tell_outcome(told(ETL, "rotated", "done"))
    assert backend.told == []
