"""Consumers are asked by a table of kinds; nobody's answer is made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from credential_rotation.model import Answer, Consumer, Credential, Probe, Secret
from credential_rotation.probes import consumers
from credential_rotation.probes.consumers import EntryConsumers, cannot_be_asked
from credential_rotation.probes.question import Question
from scenes.consumers import CANARY, STORED, current
from simulators.scene import ETL, Scene

CURRENT = current(Secret("etl", CANARY))


def entry_for(*names: str) -> Credential:
    return replace(ETL, consumers=tuple(Consumer(*name.split(":")) for name in names))


def asked(entry: Credential) -> tuple[Probe, ...]:
    return EntryConsumers(entry, lambda: STORED).check(CURRENT, None)


def test_an_entry_without_consumers_has_nobody_to_ask() -> None:
    """Nothing is unknown then."""
    assert asked(ETL) == ()


def test_a_kind_that_nobody_can_ask_is_unknown_never_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named as the entry names it, with what a person has to do."""
    monkeypatch.setattr(consumers, "PROBES", {})
    (answer,) = asked(entry_for("s3_bucket:exports"))
    assert (answer.answer, answer.where) == (Answer.UNKNOWN, "s3 bucket exports")
    assert "see for yourself" in answer.why


def test_h3_what_takes_values_by_hand_waits_for_a_person() -> None:
    """It is nobody's proof, and says whose turn it is."""
    (answer,) = asked(entry_for("manual:Looker:bi"))
    assert (answer.answer, answer.where) == (Answer.UNKNOWN, "manual Looker")
    assert "waits for a person (bi)" in answer.why


def test_a_kind_with_a_probe_is_asked_in_the_order_of_the_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new kind is one more line in the table; each is asked about the value that Bitwarden answered."""
    values = []

    def ask(question: Question) -> Probe:
        values.append(question.current)
        return question.works("seen")

    monkeypatch.setattr(consumers, "PROBES", {"dag": ask})
    answers = [(one.where, one.answer) for one in asked(entry_for("dag:b", "s3_bucket:exports", "dag:a"))]
    assert answers == [
        ("dag b", Answer.WORKS),
        ("s3 bucket exports", Answer.UNKNOWN),
        ("dag a", Answer.WORKS),
    ]
    assert values == [CURRENT, CURRENT]


def test_a_probe_that_breaks_ends_nothing_and_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """CURRENT is written by then: the others are still asked, and the text of the error stays where it is."""

    def break_off(_question: Question) -> Probe:
        raise ValueError(CANARY)

    monkeypatch.setattr(consumers, "PROBES", {"dag": break_off, "manual": consumers.PROBES["manual"]})
    broken, person = asked(entry_for("dag:load", "manual:Looker"))
    assert (broken.answer, broken.why) == (Answer.UNKNOWN, "asking it broke off (ValueError)")
    assert person.where == "manual Looker"


@pytest.mark.parametrize(
    ("engine", "never"),
    [("postgres", ["s3_bucket exports"]), ("aws_iam", [])],
)
def test_what_can_never_be_asked_is_known_before_the_first_rotation(engine: str, never: list[str]) -> None:
    """A bucket that is to be asked with a password of PostgreSQL; a person's word is one by and by."""
    entry = entry_for("manual:Looker", "s3_bucket:exports", "dag:load", "airflow_connection:etl")
    found = cannot_be_asked(replace(entry, engine=engine))
    assert [f"{one.kind} {one.name}" for one in found] == never


@pytest.mark.parametrize("answer", [Answer.UNKNOWN, Answer.REFUSED])
def test_h5_a_rotation_whose_consumer_is_not_proved_is_not_green(
    answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value is stored and works on the primary, and still the outcome is `unproved`."""

    def say(question: Question) -> Probe:
        return Probe(answer, question.where, "why")

    monkeypatch.setattr(consumers, "PROBES", {"dag": say})
    scene = Scene(credential=entry_for("dag:load"))
    asking = EntryConsumers(scene.credential, scene.world.clock)
    monkeypatch.setattr(scene, "consumers", asking)
    outcome = scene.tick()
    assert (outcome.outcome, outcome.new_value) == ("unproved", Answer.WORKS)
    assert not outcome.is_done
    assert outcome.consumers == (("dag load", answer, "why"),)
