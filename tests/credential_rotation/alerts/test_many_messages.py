"""Many failures in one run: few messages, the worst first, nobody left out of the count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from credential_rotation.alerts.message import Message
from credential_rotation.alerts.run import Run
from credential_rotation.alerts.sharing import MOST_ALONE, openings
from credential_rotation.outcome import OutcomeDict

Make = Callable[..., OutcomeDict]
Read = Callable[[Message], str]
NOW = datetime(2026, 11, 26, 2, tzinfo=timezone.utc)


def told(outcomes: list[OutcomeDict]) -> tuple[Message, ...]:
    """The first message of each thread."""
    run = Run(
        work="rotation",
        run="r1",
        outcomes=tuple(outcomes),
        link="https://airflow.example/run",
        deployment="prod",
        links={"a": "https://airflow.example/a"},
        owners={"a": "data-platform"},
    )
    return tuple(message for _, message in openings(run.failures(NOW), run))


def headlines(messages: tuple[Message, ...]) -> list[str]:
    return [message.text.splitlines()[0] for message in messages]


def test_nothing_is_told_where_nobody_has_to_act(outcome: Make) -> None:
    """What is done, and what heals by itself, wakes nobody."""
    quiet = ["rotated", "unchanged", "recovered", "adopted", "retired", "planned", "ok", "waiting", "busy"]
    assert told([outcome(word) for word in quiet]) == ()


def test_every_other_outcome_is_told(outcome: Make) -> None:
    """Not being green is reason enough, also for a word that this version does not know."""
    for word in ("unproved", "broken", "failed", "refused", "quarantined"):
        assert len(told([outcome(word)])) == 1


def test_each_message_has_its_own_log_and_owner(outcome: Make, read: Read) -> None:
    """The log is the task's own; where that is not known, the run's."""
    first, second = told([outcome("failed", name="a"), outcome("failed", name="b")])
    assert "https://airflow.example/a" in read(first)
    assert "Who acts: data-platform" in read(first)
    assert "https://airflow.example/run" in read(second)


def test_who_is_locked_out_comes_first(outcome: Make) -> None:
    """At night one reads from the top: where logins fail now, then the rest by how much it hurries."""
    messages = told(
        [
            outcome("refused", name="a"),
            outcome("failed", name="b", old_value="works"),
            outcome("broken", name="c", old_value="works"),
            outcome("failed", name="d", old_value="refused"),
        ]
    )
    assert [line.partition(":")[0] for line in headlines(messages)] == ["d", "c", "b", "a"]


def test_a_summary_of_one_would_be_a_waste(outcome: Make) -> None:
    """One more than the small number is still told by name."""
    many = [outcome("failed", name=f"c{n}") for n in range(MOST_ALONE + 1)]
    assert len(told(many)) == MOST_ALONE + 1


def test_two_hundred_failures_make_one_thread(
    outcome: Make, read: Read, check_for_slack: Callable[[Message], None]
) -> None:
    """Its first message counts them, by kind and with names."""
    many = [
        outcome(
            "failed",
            name=f"credential-with-a-long-name-{n:03}",
            old_value="refused" if n % 40 == 0 else "works",
        )
        for n in range(200)
    ]
    [message] = told(many)
    check_for_slack(message)
    lines = read(message).splitlines()
    assert lines[0] == "# Rotation: 200 credentials need a person — 5 of them locked out"
    assert lines[1:3] == [
        "*5 rotation failed — the stored password is refused*",
        ", ".join(f"credential-with-a-long-name-{n:03}" for n in range(0, 200, 40)),
    ]
    assert lines[3] == "*195 rotation failed — the old password still works*"
    shown, _, left = lines[4].rpartition(" and ")
    assert len(shown.split(", ")) + int(left.removesuffix(" more")) == 195


def test_the_widest_storm_fits_into_one_message(
    outcome: Make, check_for_slack: Callable[[Message], None]
) -> None:
    """Every kind of failure at once, each with names as long as they may be, is within Slack's limits."""
    answers = ["works", "refused", "unknown", None]
    many = [
        outcome(
            word, name=f"{word}-{old}-{new}-".ljust(100, "x"), old_value=old, new_value=new, engine=engine
        )
        for word in ("failed", "unproved", "broken", "refused")
        for old in answers
        for new in answers
        for engine in ("postgres", "aws_iam")
    ]
    for message in told(many):
        check_for_slack(message)
