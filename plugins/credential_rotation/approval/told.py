"""A question and its answer as people hear of them: in Airflow's form, on Slack, and by the planners' note.

Rules this file keeps:
- A question is told once, also where its task had to ask again.
- An answer is told where the question stands; where nobody knows that any more, as a message of its own.
- So is it that nobody can answer any more, once all tasks of its run have ended.
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
from credential_rotation.state.approvals import LOST, WAITING, Question, QuestionBook


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
    book = QuestionBook(state_folder(os.environ))
    kept = book.end(question.name, question.run_id, state, outcome.reason) or question
    _tell_end(context, kept, f"{said.why} — {outcome.outcome}", outcome.reason)


def end_lost_questions(context: Context) -> None:
    """Those of this run that still wait, when all its tasks have ended: on Slack too, and to the planners."""
    book, run_id = QuestionBook(state_folder(os.environ)), context["ti"].run_id
    for name in [one.name for one in book.all().values() if (one.run_id, one.state) == (run_id, WAITING)]:
        kept = book.end(name, run_id, LOST, "its task was ended, and nobody can answer any more")
        if kept is not None:
            why = "Its task was ended. If it had begun anything, retire_credentials finishes that."
            _tell_end(context, kept, "nobody can answer any more", why)


def _tell_end(context: Context, kept: Question, words: str, reason: str) -> None:
    link = context["ti"].log_url
    message = answered_message(
        kept, words=words, reason=reason, link=link, deployment=os.environ.get(DEPLOYMENT)
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
