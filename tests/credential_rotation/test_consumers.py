"""Consumers are asked by a table of kinds; nobody's answer is made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from credential_rotation import consumers
from credential_rotation.consumers import EntryConsumers
from credential_rotation.model import Answer, Consumer, Probe
from simulators.scene import ETL


def test_an_entry_without_consumers_has_nobody_to_ask() -> None:
    """Nothing is unknown then."""
    assert EntryConsumers(ETL).check() == ()


def test_a_kind_that_nobody_can_ask_is_unknown_never_works() -> None:
    """It is named as the entry names it, with what a person has to do."""
    entry = replace(
        ETL, consumers=(Consumer("airflow_connection", "etl"), Consumer("manual", "Looker", "bi"))
    )
    first, second = EntryConsumers(entry).check()
    assert (first.answer, first.where) == (Answer.UNKNOWN, "airflow connection etl")
    assert (second.answer, second.where) == (Answer.UNKNOWN, "manual Looker")
    assert "see for yourself" in first.why


def test_a_kind_with_a_probe_is_asked_in_the_order_of_the_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new kind is one more line in the table."""

    def ask(consumer: Consumer) -> Probe:
        return Probe(Answer.WORKS, consumer.name)

    monkeypatch.setattr(consumers, "PROBES", {"dag": ask})
    entry = replace(
        ETL, consumers=(Consumer("dag", "b"), Consumer("s3_bucket", "exports"), Consumer("dag", "a"))
    )
    answers = [(probe.where, probe.answer) for probe in EntryConsumers(entry).check()]
    assert answers == [("b", Answer.WORKS), ("s3 bucket exports", Answer.UNKNOWN), ("a", Answer.WORKS)]
