"""What Slack is told when a person's yes is wanted: for what, by when, where to give it, and what came of it.

Rules this file keeps:
- A question is no incident: its message keeps its link until it is answered, whatever fails meanwhile.
- The reason is a person's text, shown as it is and never formatted.
"""

from __future__ import annotations

from collections.abc import Sequence

from credential_rotation.alerts.blocks import context, facts, footer, header, labelled, link_to, safe
from credential_rotation.alerts.message import Message
from credential_rotation.state.approvals import Question

WORDS = "a new version waits for a person's yes"
_TEXT_ROOM = 1500


def question_message(
    question: Question, *, why: str, owner: str, by: Sequence[str], deployment: str | None
) -> Message:
    """The question; `by` are those who may answer, nobody named is anybody."""
    until = f"{question.until:%Y-%m-%d %H:%M} UTC"
    who = ", ".join(by) if by else "whoever may answer in Airflow, but not who asked"
    next_step = f"Say yes or no in Airflow until {until}. Without a yes nothing is changed."
    return Message(
        text=safe(f"{question.name}: {WORDS}\n{why}\nNext: {next_step}", _TEXT_ROOM),
        blocks=(
            header(question.name, WORDS),
            facts(
                ("Asked by", question.by),
                ("Who may answer", who),
                ("Answer by", until),
                ("Whose", owner),
            ),
            *labelled("Why", why, _TEXT_ROOM),
            *labelled("What to do next", next_step),
            *link_to(question.link, "Open the question"),
            context(_where(question, deployment)),
        ),
    )


def answered_message(
    question: Question, *, words: str, reason: str, link: str, deployment: str | None
) -> Message:
    """What came of it; `words` say who answered, and how the rotation ended."""
    return Message(
        text=safe(f"{question.name}: {words}\n{reason}", _TEXT_ROOM),
        blocks=(
            header(question.name, words),
            facts(("Asked by", question.by), ("Asked", f"{question.asked_at:%Y-%m-%d %H:%M} UTC")),
            *labelled("What happened", reason, _TEXT_ROOM),
            *link_to(link, "Open the log"),
            context(_where(question, deployment)),
        ),
    )


def _where(question: Question, deployment: str | None) -> str:
    return footer(deployment, f"run {question.run_id}")
