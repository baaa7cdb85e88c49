"""How a credential stands: worst first, and what hourly runs mend by themselves is nobody's work."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from credential_rotation.ui.shelf import Row
from credential_rotation.ui.standing import standing

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AS_OF = (NOW - HOUR / 2).isoformat()


def entry(*, due: timedelta | None = 30 * DAY, version: int | None = 4, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    policy = {"is_scheduled": True, "pause": False, **more.pop("policy", {})}
    at = (NOW + due).isoformat() if due is not None else None
    return {"name": "etl", "version": version, "due": at, "is_open": False, "policy": policy, **more}


def said(outcome: str, age: timedelta = 2 * HOUR, *, dag: str = "rotate_database_credentials") -> Row:
    at = (NOW - age).isoformat()
    return Row("etl", outcome, at, dag, "schedule", 4, "why", "next", None, None, None, None)


def but_for_words(age: timedelta = 2 * HOUR, *, written: bool = True) -> Row:
    """A run that proved all but what people have to say."""
    return replace(said("unproved", age), only_words_missing=True, written=AS_OF if written else None)


TAKEN: dict[str, Any] = {"consumers": ["manual: Looker", "dag: load"]}
GIVEN: dict[str, Any] = {**TAKEN, "words": [((4, "a4"), "Looker")]}
LOOKER = {"who": "Looker (bi)", "until": (NOW + DAY).isoformat(), "how": "confirm etl --consumer Looker"}
BY_HAND = {"instructions": "Ring up the bank.", "how": "close etl --reason '…'"}


def question(until: timedelta, state: str = "waiting") -> dict[str, Any]:
    link = "https://airflow.internal/base/dags/rotate_with_approval/runs/r/tasks/rotate/mapped/0/required_actions"
    return {"by": "schedule", "until": (NOW + until).isoformat(), "state": state, "link": link}


CASES: dict[str, tuple[dict[str, Any], list[Row], str, bool]] = {
    "young, nothing said": (entry(), [], "Fine", False),
    "rotated": (entry(), [said("rotated")], "Fine", False),
    "due, and a person is asked": (entry(due=-HOUR, question=question(HOUR)), [], "Waits for approval", True),
    "refused before, and a person is asked again": (
        entry(due=-HOUR, question=question(HOUR)),
        [said("refused")],
        "Waits for approval",
        True,
    ),
    "begun, and nothing tells which is in use": (
        entry(due=None, version=None, may_be=[5, 4], is_open=True),
        [],
        "Begun",
        False,
    ),
    "begun, and the old one is in use past its time": (
        entry(due=-2 * DAY, may_be=[5, 4], is_open=True),
        [],
        "Overdue",
        True,
    ),
    "begun, and seen to be CURRENT": (entry(may_be=[4, 3], is_open=True), [], "In grace", False),
    "paused, and something is open for longer than it may be": (
        entry(policy={"pause": True}, is_open=True, open_until=(NOW - 2 * DAY).isoformat()),
        [],
        "Stuck",
        True,
    ),
    "paused, and in grace": (
        entry(policy={"pause": True}, is_open=True, open_until=(NOW + DAY).isoformat()),
        [],
        "Paused",
        False,
    ),
    "due, and nobody answered": (entry(due=-HOUR, question=question(-HOUR)), [], "Due", False),
    "a person said no": (
        entry(due=-HOUR, question=question(HOUR, "refused")),
        [said("refused")],
        "Refused",
        True,
    ),
    "due, and the target is down": (entry(due=-HOUR), [said("failed")], "Failed", True),
    "failed just now, by hand": (entry(), [said("failed", timedelta(minutes=1))], "Failed", True),
    "failed by hand long ago, nothing tries it again": (entry(), [said("failed", 9 * DAY)], "Fine", False),
    "failed and then rotated": (entry(), [said("failed"), said("rotated", HOUR)], "Fine", False),
    "due, failed, and proved to work since": (
        entry(due=-HOUR),
        [said("failed", 3 * HOUR), said("ok", 2 * HOUR, dag="verify_credentials")],
        "Failed",
        True,
    ),
    "does not log in, says the daily proof": (
        entry(),
        [said("broken", 20 * HOUR, dag="verify_credentials")],
        "Does not work",
        True,
    ),
    "did not log in, and was rotated since": (
        entry(),
        [said("broken", dag="verify_credentials"), said("recovered", HOUR)],
        "Fine",
        False,
    ),
    "a dry run mends nothing": (entry(due=-HOUR), [said("failed"), said("planned", HOUR)], "Failed", True),
    "rotated, consumer unproved: not green (H5)": (entry(), [said("unproved", 9 * DAY)], "Not proved", True),
    "due for an hour": (entry(due=-HOUR), [], "Due", False),
    "due for two days": (entry(due=-2 * DAY), [], "Overdue", True),
    "paused, and due for two days": (entry(due=-2 * DAY, policy={"pause": True}), [], "Paused", False),
    "waits": (entry(due=-HOUR), [said("waiting")], "Waiting", False),
    "never rotated": (entry(due=None, version=None), [], "Not rotated yet", False),
    "only by hand": (entry(due=None, policy={"is_scheduled": False}), [], "When asked", False),
    "in grace": (entry(is_open=True, open_until=(NOW + DAY).isoformat()), [], "In grace", False),
    "open for too long": (entry(is_open=True, open_until=(NOW - 2 * DAY).isoformat()), [], "Stuck", True),
    "to be handed on by hand (H3)": (
        entry(is_open=True, awaits=[LOOKER]),
        [said("waiting")],
        "Waits for a person",
        True,
    ),
    "not proved, and to be handed on: the reason first (H3)": (
        entry(is_open=True, awaits=[LOOKER]),
        [said("unproved")],
        "Not proved",
        True,
    ),
    "changed by a person, young (H1)": (entry(due=60 * DAY, by_hand=BY_HAND), [], "Fine", False),
    "changed by a person, due in three weeks (H1)": (
        entry(due=21 * DAY, by_hand=BY_HAND),
        [],
        "Due soon",
        False,
    ),
    "changed by a person, and was not (H1)": (entry(due=-HOUR, by_hand=BY_HAND), [], "Overdue", True),
    "changed by a person, nobody knows when (H1)": (
        entry(due=None, version=None, by_hand=BY_HAND),
        [],
        "Never closed",
        True,
    ),
    "not proved but for a word that nobody has given (H3)": (
        entry(**TAKEN),
        [but_for_words()],
        "Not proved",
        True,
    ),
    "not proved but for a word that was given since (H3)": (entry(**GIVEN), [but_for_words()], "Fine", False),
    "failed, then rotated but for a word that was given since (H3)": (
        entry(due=-HOUR, **GIVEN),
        [said("failed", 3 * HOUR), but_for_words()],
        "Due",
        False,
    ),
    "did not log in, then rotated but for a word that was given since (H3)": (
        entry(**GIVEN),
        [said("broken", 3 * HOUR, dag="verify_credentials"), but_for_words()],
        "Fine",
        False,
    ),
    "failed, and a word was given for the version before (H3)": (
        entry(due=-HOUR, **GIVEN),
        [but_for_words(3 * HOUR), said("failed")],
        "Failed",
        True,
    ),
    "a moment that is none": (entry(due=None, open_until="yesterday"), [], "Fine", False),
}


@pytest.mark.parametrize("case", CASES)
def test_it_stands_as_it_should(case: str) -> None:
    given, rows, word, needs_person = CASES[case]
    told = standing(given, rows, NOW, as_of=AS_OF)
    assert (told.word, told.needs_person) == (word, needs_person)
    assert told.level == ("bad" if needs_person else told.level)
    assert told.why


def test_h3_whom_it_waits_for_until_when_and_how_it_ends_stand_there() -> None:
    """For whoever opens the page instead of Slack."""
    told = standing(entry(awaits=[LOOKER]), [], NOW, as_of=AS_OF)
    assert "Looker (bi) has to be given the new value by hand, by 2026-11-27" in told.why
    assert told.next_step == "confirm etl --consumer Looker"
    late = standing(entry(awaits=[LOOKER]), [], NOW + 3 * DAY, as_of=AS_OF)
    assert "which is over" in late.why


def test_h1_what_to_do_instead_of_rotating_stands_there() -> None:
    """The instructions, and the command that closes it."""
    told = standing(entry(due=-DAY, by_hand=BY_HAND), [], NOW, as_of=AS_OF)
    assert told.next_step == "Ring up the bank. close etl --reason '…'"


def test_a_question_has_its_place_in_airflow() -> None:
    """Below whatever address Airflow has."""
    path = standing(entry(question=question(HOUR)), [], NOW, as_of=AS_OF).path
    assert path == "dags/rotate_with_approval/runs/r/tasks/rotate/mapped/0/required_actions"


def test_what_waits_says_what_there_is_to_do_about_it() -> None:
    """A pool that is missing heals by nobody; where a run told nothing, nothing is to be done."""
    pool = replace(said("waiting"), next_step="See whether Airflow has this pool.")
    assert standing(entry(), [pool], NOW, as_of=AS_OF).next_step == "See whether Airflow has this pool."
    told = standing(entry(), [replace(pool, next_step="")], NOW, as_of=AS_OF).next_step
    assert told == "Nothing to do: a later run goes on by itself."
