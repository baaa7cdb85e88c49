"""What an answer means, and that one question is asked and not one an hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.approval.answers import Pending, judged, pending, why_asked
from credential_rotation.model import ApprovalRule, Policy, Window
from credential_rotation.outcome import told
from credential_rotation.policy import Request
from credential_rotation.state.approvals import (
    APPROVED,
    EXPIRED,
    REFUSED,
    Question,
    QuestionBook,
    with_questions,
)
from simulators.scene import ETL

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULE = ApprovalRule(within=8 * HOUR)
GUARDED = replace(ETL, policy=Policy("both", max_age=90 * DAY, approval=RULE))
TICK = Request(at=NOW, by="schedule")
ASKED = pending(GUARDED, RULE, TICK, NOW)


def answer(
    choice: str = "Approve",
    *,
    by: object = "ben",
    at: datetime = NOW + HOUR,
    **more: Any,  # noqa: ANN401 - as Airflow hands it over
) -> dict[str, Any]:
    who = {"id": by, "name": by} if isinstance(by, str) else by
    return {
        "chosen_options": [choice],
        "params_input": {},
        "responded_at": at,
        "responded_by_user": who,
    } | more


CASES: dict[str, tuple[dict[str, Any], str, str, bool]] = {
    "yes": (answer(), APPROVED, "approved by ben, 2026-11-26 13:00 UTC", True),
    "no": (answer("Refuse"), REFUSED, "ben said no, 2026-11-26 13:00 UTC", True),
    "nobody answered": (
        {"error": "in Airflow's words", "error_type": "timeout"},
        EXPIRED,
        "nobody answered until 2026-11-26 20:00 UTC",
        True,
    ),
    "a yes that the scheduler was too late to refuse": (
        answer(at=NOW + 9 * HOUR),
        EXPIRED,
        "ben approved it 2026-11-26 21:00 UTC, too late: it was open until 2026-11-26 20:00 UTC",
        True,
    ),
    "neither yes nor no": (answer("Maybe"), REFUSED, "ben said no, 2026-11-26 13:00 UTC", True),
    "yes and no": (
        answer(chosen_options=["Approve", "Refuse"]),
        REFUSED,
        "ben said no, 2026-11-26 13:00 UTC",
        True,
    ),
    "a yes of nobody": (answer(by=None), REFUSED, "Airflow does not say who answered", False),
    "a yes without a name": (
        answer(by={"id": "7", "name": ""}),
        REFUSED,
        "Airflow does not say who answered",
        False,
    ),
    "a yes without a moment": (
        answer(responded_at=None),
        REFUSED,
        "Airflow does not say who answered",
        False,
    ),
    "another error": (
        {"error": "?", "error_type": "unknown"},
        REFUSED,
        "Airflow does not say who answered",
        False,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_an_answer_means(case: str) -> None:
    """Only a plain yes by somebody with a name, in time, is one; who and when is told."""
    event, state, why, is_answer = CASES[case]
    said = judged(event, ASKED, GUARDED)
    assert (said.state, said.why, said.is_answer) == (state, why, is_answer)
    assert (said.approval is not None) == (state == APPROVED)


@pytest.mark.parametrize(
    "changed",
    [
        {"principals": ("another_role",)},
        {"target": replace(GUARDED.target, host="another.internal")},
        {"policy": replace(GUARDED.policy, grace=DAY)},
    ],
    ids=["role", "host", "policy"],
)
def test_a_yes_is_to_what_was_asked(changed: dict[str, Any]) -> None:
    """An entry that was changed while it waited is asked about again."""
    said = judged(answer(), ASKED, replace(GUARDED, **changed))
    assert (said.state, said.approval) == (REFUSED, None)
    assert "was changed after it was asked for" in said.why


def test_an_entry_that_only_moved_in_its_file_is_the_same() -> None:
    """Somebody added another one above it."""
    assert judged(answer(), ASKED, replace(GUARDED, source="b.yaml:99")).approval is not None


def test_a_question_goes_through_airflow_as_plain_texts() -> None:
    """And comes back as it was."""
    assert Pending(**ASKED.as_kwargs()) == ASKED
    assert ASKED.ends == NOW + 8 * HOUR


def test_an_answer_has_to_come_before_the_window_closes() -> None:
    """A yes at noon does not open last night's window; forced, the window does not count."""
    night = replace(GUARDED, policy=replace(GUARDED.policy, window=Window(11 * HOUR, 14 * HOUR)))
    assert pending(night, RULE, TICK, NOW).ends == NOW + 2 * HOUR
    forced = Request(NOW, "kim", now=True, force=True, reason="an audit")
    assert pending(night, RULE, forced, NOW).ends == NOW + 8 * HOUR


# --- one question --------------------------------------------------------------------------------------

QUESTION = Question(
    name="warehouse-etl",
    asked_at=NOW,
    until=NOW + 8 * HOUR,
    again_at=NOW + DAY,
    by="schedule",
    run_id="r1",
    link="https://airflow.internal/q",
)

HOLDS = {
    "it waits": (QUESTION, NOW + HOUR, True),
    "its time is over by a moment, and Airflow may not have seen it yet": (QUESTION, NOW + 8 * HOUR, True),
    "its run was deleted, and its time is over": (QUESTION, NOW + 9 * HOUR, False),
    "refused an hour ago": (replace(QUESTION, state=REFUSED), NOW + 9 * HOUR, True),
    "refused yesterday": (replace(QUESTION, state=REFUSED), NOW + DAY, False),
    "nobody answered, this morning": (replace(QUESTION, state=EXPIRED), NOW + 20 * HOUR, True),
    "nobody answered, yesterday": (replace(QUESTION, state=EXPIRED), NOW + DAY, False),
    "approved: what failed since may be asked again": (replace(QUESTION, state=APPROVED), NOW + HOUR, False),
}


@pytest.mark.parametrize("case", HOLDS)
def test_when_the_schedule_leaves_people_alone(case: str) -> None:
    """Not each hour, and not for ever."""
    question, now, holds = HOLDS[case]
    assert question.holds_off(now) is holds


def test_a_question_is_found_again_and_ends_once(tmp_path: Path) -> None:
    """The end of an older run's question leaves the newer one alone."""
    book = QuestionBook(StateFolder(str(tmp_path)))
    assert book.of("warehouse-etl") is None
    book.keep(QUESTION)
    book.end("warehouse-etl", "another run", REFUSED, "ben said no")
    assert book.of("warehouse-etl") == QUESTION
    book.end("warehouse-etl", "r1", REFUSED, "ben said no")
    assert book.all() == {"warehouse-etl": replace(QUESTION, state=REFUSED, why="ben said no")}


@pytest.mark.parametrize("torn", ["{}", "[]", "nothing", '{"asked_at": "2026-11-26T12:00:00"}'])
def test_a_torn_note_is_none(tmp_path: Path, torn: str) -> None:
    """Losing it costs one more question, never a rotation."""
    (tmp_path / "approvals").mkdir()
    (tmp_path / "approvals" / "warehouse-etl.json").write_text(torn)
    assert QuestionBook(StateFolder(str(tmp_path))).of("warehouse-etl") is None


def test_plan_and_status_say_who_is_asked_and_where(tmp_path: Path) -> None:
    """With the link; and after a no, when it is asked again."""
    environ = {"ROTATION_STATE_PATH": str(tmp_path)}
    waits = replace(told(GUARDED, "waiting", "it is due"), needs_approval=True)
    book = QuestionBook(StateFolder(str(tmp_path)))
    book.keep(QUESTION)
    [asked] = with_questions([waits], environ, NOW + HOUR)
    assert asked.reason == (
        "it is due; schedule asked 2026-11-26 12:00 UTC; a person may answer until 2026-11-26 20:00 UTC"
    )
    assert asked.next_step == "Say yes or no, unless you asked: https://airflow.internal/q"
    book.end("warehouse-etl", "r1", REFUSED, "ben said no, 2026-11-26 13:00 UTC")
    [refused] = with_questions([waits], environ, NOW + 2 * HOUR)
    assert refused.reason.endswith(
        "ben said no, 2026-11-26 13:00 UTC; it is asked again after 2026-11-27 12:00 UTC"
    )
    [other] = with_questions([replace(waits, needs_approval=False)], environ, NOW + HOUR)
    assert other.reason == "it is due"


def test_who_answers_is_told_that_it_is_forced() -> None:
    """A yes to that goes further, and no sentence of who asks decides whether it is said."""
    asked = Request(NOW, "kim", now=True, reason="an audit")
    assert why_asked(asked) == "an audit"
    forced = why_asked(replace(asked, force=True))
    assert forced.startswith("Forced, in spite of its policy's pause and window")
    assert forced.endswith(": an audit")
    assert (why_asked(TICK), why_asked(replace(asked, reason=None))) == ("it is due", "asked for by kim")
