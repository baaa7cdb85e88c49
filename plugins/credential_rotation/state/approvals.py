"""What was asked of people and what became of it, so that one request is made and not one an hour.

Rules this file keeps:
- A note for planners and people, never a proof: a yes counts as Airflow handed it to the task that asked.
- Losing it costs one more question. A folder that cannot be read or written is one warning in the log.
- One credential has one request here, the newest.
- The folder is shared: a document of another shape is no request.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bitwarden_vault.state_folder import StateFolder, StateUnavailable, state_folder
from credential_rotation.outcome import Outcome

log = logging.getLogger(__name__)

APPROVALS = "approvals"
WAITING, APPROVED, REFUSED, EXPIRED = "waiting", "approved", "refused", "expired"
LOST = "lost"
"""Its task was ended, with its lane or by somebody: nobody can answer, what is due is asked about anew."""
LATE = timedelta(minutes=10)
"""How long after its end a request may still be on its way out: Airflow looks at such ends now and then."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request, and how it stands."""

    name: str
    asked_at: datetime
    until: datetime
    again_at: datetime
    """When the schedule asks again, should nobody say yes."""
    by: str
    run_id: str
    link: str = ""
    state: str = WAITING
    why: str = ""
    """How it ended, in words."""
    channel: str | None = None
    ts: str | None = None
    """Its message on Slack."""

    def is_waiting(self, now: datetime) -> bool:
        """A person may still answer; a run that was deleted meanwhile is forgotten when its time is over."""
        return self.state == WAITING and now < self.until + LATE

    def holds_off(self, now: datetime) -> bool:
        """Whether the schedule has to leave people alone with this credential for now."""
        return self.is_waiting(now) or (self.state in {REFUSED, EXPIRED} and now < self.again_at)

    @property
    def words(self) -> str:
        """For who looks at it while it waits."""
        return (
            f"{self.by} asked {self.asked_at:%Y-%m-%d %H:%M} UTC; a person may answer until {_at(self.until)}"
        )


class QuestionBook:
    """The newest request of each credential."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder

    def of(self, name: str) -> Question | None:
        """None where nobody was asked, or nobody knows of it."""
        try:
            return _read(self._folder.read(_place(name)))
        except StateUnavailable as gone:
            log.warning("who was asked for approval is not known: %s", gone)
            return None

    def all(self) -> dict[str, Question]:
        """By the credential's name."""
        try:
            found = [_read(self._folder.read(place)) for place in self._folder.names(APPROVALS)]
        except StateUnavailable as gone:
            log.warning("who was asked for approval is not known: %s", gone)
            return {}
        return {one.name: one for one in found if one is not None}

    def keep(self, question: Question) -> None:
        """In place of an older one."""
        try:
            document = asdict(question)
            for name in ("asked_at", "until", "again_at"):
                document[name] = document[name].isoformat()
            self._folder.write(_place(question.name), document)
        except StateUnavailable as gone:
            log.warning("that approval was asked for is not kept: %s", gone)

    def end(self, name: str, run_id: str, state: str, why: str) -> Question | None:
        """What became of this run's request, which is returned; a newer one stays as it is, and is None."""
        found = self.of(name)
        if found is None or found.run_id != run_id:
            return None
        ended = replace(found, state=state, why=why)
        self.keep(ended)
        return ended


def with_questions(
    outcomes: Sequence[Outcome], environ: Mapping[str, str], now: datetime
) -> tuple[Outcome, ...]:
    """The same; what waits for a person's yes says who asked, until when, and where to answer."""
    if not any(one.needs_approval for one in outcomes):
        return tuple(outcomes)
    asked = QuestionBook(state_folder(environ)).all()
    return tuple(_with_question(one, asked.get(one.name), now) for one in outcomes)


def _with_question(outcome: Outcome, question: Question | None, now: datetime) -> Outcome:
    if question is None or not outcome.needs_approval or not question.holds_off(now):
        return outcome
    if not question.is_waiting(now):
        again = f"{question.why}; it is asked again after {_at(question.again_at)}"
        return replace(outcome, reason=f"{outcome.reason}; {again}")
    next_step = f"Say yes or no, unless you asked: {question.link}"
    return replace(outcome, reason=f"{outcome.reason}; {question.words}", next_step=next_step)


def _place(name: str) -> str:
    return f"{APPROVALS}/{name}"


def _read(document: Mapping[str, Any] | None) -> Question | None:
    try:
        moments = {
            name: datetime.fromisoformat(document[name])  # type: ignore[index]  # None is a TypeError
            for name in ("asked_at", "until", "again_at")
        }
        found = Question(**{**document, **moments})  # type: ignore[dict-item]  # as above
    except (KeyError, TypeError, ValueError):
        return None
    texts = (found.name, found.by, found.run_id, found.link, found.state, found.why)
    is_ours = all(isinstance(one, str) for one in (*texts, found.channel or "", found.ts or ""))
    return found if is_ours and all(one.tzinfo for one in moments.values()) else None


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
