"""What the runs of a DAG say about a value: only those that began after it was stored, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from credential_rotation.model import Answer
from credential_rotation.probes.dag import ask_dag, judged
from scenes.consumers import STORED, question


@dataclass
class SomeRun:
    """What a probe sees of a DAG run."""

    state: str
    start_date: datetime | None


def run(state: str, minutes: float | None) -> SomeRun:
    return SomeRun(state, None if minutes is None else STORED + timedelta(minutes=minutes))


RUNS = {
    "it never ran": ([], Answer.UNKNOWN),
    "it ran well, before": ([run("success", -5)], Answer.UNKNOWN),
    "it failed, before": ([run("failed", -5)], Answer.UNKNOWN),
    "it began in the moment that the value was stored": ([run("success", 0.5)], Answer.UNKNOWN),
    "it ended without having begun": ([run("failed", None)], Answer.UNKNOWN),
    "it ran well, after": ([run("success", 5)], Answer.WORKS),
    "it failed, after": ([run("failed", 5)], Answer.REFUSED),
    "it failed, then ran well": ([run("success", 20), run("failed", 5)], Answer.WORKS),
    "it ran well, then failed": ([run("success", 5), run("failed", 20)], Answer.REFUSED),
    "it failed before, and ran well after": ([run("success", 5), run("failed", -5)], Answer.WORKS),
    "it ran well before, and failed after": ([run("success", -5), run("failed", 5)], Answer.REFUSED),
}


@pytest.mark.parametrize(("runs", "answer"), RUNS.values(), ids=RUNS)
def test_only_runs_since_the_value_was_stored_speak_and_the_newest_decides(
    runs: list[SomeRun], answer: Answer
) -> None:
    """A last run that went well with the old value is no proof of the new one."""
    probe = judged(question("dag", "nightly_load"), runs)
    assert (probe.where, probe.answer) == ("dag nightly_load", answer)


def test_the_reason_says_since_when_and_what_keeps_the_dag() -> None:
    """So that a person can start it."""
    probe = judged(question("dag", "nightly_load"), [], hint="; it is paused")
    assert probe.why == (
        "no run of it has begun and ended since CURRENT was stored (2026-03-02 09:30 UTC); it is paused"
    )


def test_outside_of_a_task_nothing_is_claimed() -> None:
    """The command line has no door to Airflow's runs."""
    probe = ask_dag(question("dag", "nightly_load"))
    assert probe.answer is Answer.UNKNOWN
    assert "verify_credentials asks it" in probe.why
