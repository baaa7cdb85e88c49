"""A question and its answer as people hear of them: in Airflow's form, on Slack, and by the planners' note.

Rules this file keeps:
- A question is told once, also where its task had to ask again.
- An answer is told where the question stands; where nobody knows that any more, as a message of its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from airflow.sdk import Context

from bitwarden_vault.state_folder import state_folder
from credential_rotation.alerts.approval_message import answered_message, question_message
from credential_rotation.alerts.people import DEPLOYMENT, teller_of
from credential_rotation.alerts.slack import Sent
from credential_rotation.approval.answers import Pending, Said
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.state.approvals import WAITING, Question, QuestionBook


def put_question(
    context: Context, credential: Credential, question: Question, *, why: str, others: Sequence[str]
) -> None:
    """Tell people, once; and the planners, so that they do not ask again."""
    book = QuestionBook(state_folder(os.environ))
    before = book.of(question.name)
    if before is not None and before.run_id == question.run_id and before.state == WAITING:
        book.keep(replace(question, channel=before.channel, ts=before.ts))
        return
    book.keep(question)
    message = question_message(
        question, why=why, owner=credential.owner, by=others, deployment=os.environ.get(DEPLOYMENT)
    )
    about = {"credentials": [question.name], "owners": [credential.owner], "link": question.link}
    sent = teller_of(os.environ, context=context).say(message, "question", run=question.run_id, **about)
    if isinstance(sent, Sent):
        book.keep(replace(question, channel=sent.channel, ts=sent.ts))


def tell_answer(context: Context, outcome: Outcome, question: Question, said: Said, *, state: str) -> None:
    """Where the question stands, and to the planners; `question` is what is known without the note of it."""
    book, link = QuestionBook(state_folder(os.environ)), context["ti"].log_url
    kept = book.end(question.name, question.run_id, state, outcome.reason) or question
    message = answered_message(
        kept,
        words=f"{said.why} — {outcome.outcome}",
        reason=outcome.reason,
        link=link,
        deployment=os.environ.get(DEPLOYMENT),
    )
    at = Sent(kept.channel, kept.ts) if kept.ts else None
    about = {"credentials": [kept.name], "run": kept.run_id, "link": link}
    teller_of(os.environ, context=context).follow(at, message, "answer", **about)


def question_body(credential: Credential, asked: Pending, *, why: str, by: str) -> str:
    """For Airflow's form: Markdown, in which a person's own text formats nothing."""
    who, where = ", ".join(credential.principals), credential.target.host or credential.engine
    return (
        f"{_plain(credential.name)}: {_plain(credential.engine)} {_plain(who)} at {_plain(where)}, "
        f"owner {_plain(credential.owner)}.\n\n"
        f"Asked by: {_plain(by)}. Why: {_plain(why)}\n\n"
        "**Approve**: a new version is made, proved and stored at once. **Refuse**: nothing is changed.\n\n"
        f"Who asked cannot approve. Open until {asked.ends:%Y-%m-%d %H:%M} UTC; without an answer nothing is "
        "changed."
    )


def _plain(text: str) -> str:
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~&" else sign for sign in flat)
