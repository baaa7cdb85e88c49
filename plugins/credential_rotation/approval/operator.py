"""One credential that begins a new version only with a person's yes: look, ask, wait, go on with the answer.

Rules this file keeps:
- The task that asked is the one that rotates: the answer comes from Airflow itself, not through an XCom or a
  configuration that people can write.
- It looks first. What can be repaired or finished is, and nobody is asked about what could not begin.
- Compromise mode waits for nobody's answer.
- Where too many of its run have failed, nobody is asked, and a yes begins nothing.
- While it waits it takes no worker, no pool and no slot. Everything is read again when the answer is there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from airflow.sdk import Context

from credential_rotation.approval.answers import OPTIONS, Pending, Said, judged, pending, why_asked
from credential_rotation.approval.human_in_the_loop import (
    CAN_ASK,
    CANNOT_ASK,
    NEEDED,
    HITLOperator,
    TaskAwaitingInput,
)
from credential_rotation.approval.told import put_question, question_body, tell_answer
from credential_rotation.approvers import WITH_APPROVAL, why_not
from credential_rotation.model import ApprovalRule, Credential
from credential_rotation.outcome import DONE, Outcome, OutcomeDict, told
from credential_rotation.policy import Request
from credential_rotation.state.approvals import APPROVED, REFUSED, Question
from credential_rotation.state.history import Asked, keep_outcome, keep_run
from credential_rotation.tasks.airflow_ends import AirflowSkipException
from credential_rotation.tasks.asker import FROM_ANOTHER_DAG
from credential_rotation.tasks.by_wish import held_back, rotate_in_turn
from credential_rotation.tasks.handed_on import IS_ANSWER
from credential_rotation.tasks.report import Reported
from credential_rotation.tasks.run_brake import why_held
from credential_rotation.tasks.run_context import (
    asked_in,
    deployment_of,
    end_with,
    hand_on,
    the_wish,
    words_about,
)
from credential_rotation.tasks.trigger_form import is_dry_run
from credential_rotation.wiring import Deployment, now

log = logging.getLogger(__name__)

WORK = "rotation"
_ASKS_AFTER = {*DONE, "waiting", "refused"} - {"revoked"}
"""After these a person is asked; all other outcomes are told first."""
ASK_ANEW = f"If it is still wanted, trigger {WITH_APPROVAL} again; somebody else than who asks says yes."


class RotateWithApproval(HITLOperator):
    """Rotates `credential`, and asks first where its policy wants that."""

    template_fields = ()

    def __init__(self, *, credential: str, **kwargs: Any) -> None:  # noqa: ANN401 - an operator's own
        super().__init__(
            subject="May it be rotated?",
            options=list(OPTIONS),
            response_timeout=timedelta(hours=1),  # each credential's own is set when it asks
            **kwargs,
        )
        self.credential = credential

    def execute(self, context: Context) -> None:
        """Look, and ask where nothing but a yes is missing."""
        with self._words(context):
            deployment = deployment_of(context)
            credential = deployment.entry(self.credential)
            wish = the_wish(context)
            outcome = None if wish.request.revoke else _cannot_be_asked(context, credential)
            if outcome is None and wish.dry_run:
                outcome = _foreseen(deployment, credential, wish.request)
            if outcome is None:
                outcome = _attempt(context, deployment, credential, wish.request)
        rule = credential.policy.approval
        is_well = outcome.outcome in _ASKS_AFTER
        if rule is None or not (outcome.needs_approval and is_well):
            _end(context, deployment, credential, outcome, asked_in(context))
            return
        if outcome.outcome in DONE:
            keep_outcome(os.environ, credential, outcome, asked_in(context), now=deployment.clock())
        self._ask(context, deployment, credential, rule, wish.request)

    def go_on(self, context: Context, event: Mapping[str, object], asked: Mapping[str, str]) -> None:
        """Go on with what came back."""
        with self._words(context):
            deployment = deployment_of(context)
            credential = deployment.entry(self.credential)
            request = the_wish(context).request
            said = judged(event, Pending(**asked), credential)
            outcome, by = _answered(context, deployment, credential, request, said)
        state = APPROVED if by.approved_by else _state(said)
        log.info("%s: %s", credential.name, said.why)
        tell_answer(context, outcome, self._question(context, request, Pending(**asked)), said, state=state)
        told_by = replace(asked_in(context), approved_by=by.approved_by, approved_at=by.approved_at)
        _end(context, deployment, credential, outcome, told_by, said=said)

    def _ask(
        self,
        context: Context,
        deployment: Deployment,
        credential: Credential,
        rule: ApprovalRule,
        request: Request,
    ) -> None:
        now = deployment.clock()
        asked = pending(credential, rule, request, now)
        why = why_asked(request)
        self.subject = f"May {credential.name} be rotated?"
        self.body = question_body(credential, asked, why=why, by=request.by)
        self.response_timeout = max(asked.ends - now, timedelta(seconds=1))
        others = [one for one in rule.by if one.casefold() != request.by.casefold()]
        self.assigned_users = [{"id": one, "name": one} for one in others] or None
        try:
            super().execute(context)
        except TaskAwaitingInput as parked:
            question = replace(
                self._question(context, request, asked), again_at=max(now + rule.again, asked.ends)
            )
            put_question(context, credential, question, why=why, others=others)
            raise TaskAwaitingInput(
                method_name=self.go_on.__name__,
                kwargs={"asked": asked.as_kwargs()},
                timeout=parked.timeout,
            ) from None

    def _words(self, context: Context) -> AbstractContextManager[None]:
        """What keeps it from being looked at is told at once, as its end is."""

        def tell(row: dict[str, Any]) -> None:
            outcome = cast("OutcomeDict", row)
            Reported.of_one(context, outcome, act_by=None, work=WORK).tell_people(os.environ, {})
            keep_run(os.environ, asked_in(context), [row], now=now())

        return words_about(context, self.credential, tell)

    def _question(self, context: Context, request: Request, asked: Pending) -> Question:
        ti = context["ti"]
        return Question(
            name=self.credential,
            asked_at=datetime.fromisoformat(asked.at),
            until=asked.ends,
            again_at=asked.ends,
            by=request.by,
            run_id=ti.run_id,
            link=f"{ti.log_url.partition('?')[0]}/required_actions",
        )


def _attempt(context: Context, deployment: Deployment, credential: Credential, request: Request) -> Outcome:
    """One attempt; what a person asked for or approved waits for its turn: no later run would know of it.

    After so many failures of this run nothing new begins, nor is anybody asked, but for compromise mode.
    """
    pulled = None if request.revoke else why_held(context, deployment)
    if pulled is not None:
        return held_back(deployment, credential, pulled)
    if not request.now and request.approval is None:
        return deployment.rotate(credential, request)
    return rotate_in_turn(deployment, credential, request)


def _foreseen(deployment: Deployment, credential: Credential, request: Request) -> Outcome:
    """A dry run: what would be done with a yes, and that one is wanted."""
    without = replace(credential, policy=replace(credential.policy, approval=None))
    outcome = deployment.foresee(without, request)
    if credential.policy.approval is None or request.revoke or outcome.outcome != "planned":
        return outcome
    return replace(outcome, reason=f"{outcome.reason}; a person would be asked first")


def _cannot_be_asked(context: Context, credential: Credential) -> Outcome | None:
    """Why nobody can be asked about this credential; None where somebody can, or need not."""
    rule, run = credential.policy.approval, context["dag_run"]
    if rule is None:
        return None
    if not CAN_ASK:
        return told(credential, "refused", CANNOT_ASK, next_step=NEEDED)
    if run.run_type == "scheduled":
        return None
    who = run.triggering_user_name
    if not who or run.run_type == FROM_ANOTHER_DAG:
        made = "by another DAG" if who else "without a user"
        why = f"nobody knows who asks: this run was made {made}, so that nobody could be told from them"
        return told(
            credential, "refused", why, next_step="Trigger it as yourself, on the page or by the API."
        )
    if rule.by and not [one for one in rule.by if one.casefold() != who.casefold()]:
        why = f"only {who} may approve it, who asks for it"
        return told(
            credential, "refused", why, next_step="Name a second person in its policy's `approval.by`."
        )
    return None


def _answered(
    context: Context, deployment: Deployment, credential: Credential, request: Request, said: Said
) -> tuple[Outcome, Asked]:
    """What became of it, and who approved it where that counts."""
    rule, approval = credential.policy.approval, said.approval
    if approval is None:
        next_step = ASK_ANEW if request.by != "schedule" else _asks_again(rule)
        return told(credential, "refused", said.why, next_step=next_step), Asked(by=request.by)
    outcome = _attempt(context, deployment, credential, replace(request, approval=approval))
    if rule is not None and why_not(rule, approval, asked_by=request.by):
        return outcome, Asked(by=request.by)
    by = Asked(by=request.by, approved_by=approval.by, approved_at=approval.at.isoformat())
    if outcome.is_done:
        outcome = replace(outcome, reason=f"{outcome.reason}; {said.why}")
    return outcome, by


def _asks_again(rule: ApprovalRule | None) -> str:
    if rule is None:
        return ASK_ANEW
    again = int(rule.again.total_seconds() // 3600)
    return f"Nothing, if that is right: the schedule asks again {again} h after it asked. Sooner: {ASK_ANEW}"


def _state(said: Said) -> str:
    return REFUSED if said.state == APPROVED else said.state


def _end(  # noqa: PLR0913 - each by its name
    context: Context,
    deployment: Deployment,
    credential: Credential,
    outcome: Outcome,
    asked: Asked,
    *,
    said: Said | None = None,
) -> None:
    """Keep it, tell it at once, and end as the grid shows it: an answer is no failure."""
    is_dry = is_dry_run(context["params"])
    is_answer = said is not None and said.approval is None and said.is_answer  # no failure, and no alert
    now = deployment.clock()
    row = hand_on(context, credential, outcome, asked, now=now, more={IS_ANSWER: is_answer})
    if not is_answer and not is_dry:
        reported = Reported.of_one(context, outcome.as_dict(), act_by=row.get("act_by"), work=WORK)
        reported.tell_people(os.environ, {credential.name: credential.owner})
    keep_run(os.environ, asked, [] if is_dry else [row], now=now)
    if is_answer:
        raise AirflowSkipException(f"{outcome.outcome}: {outcome.reason}. {outcome.next_step}")
    end_with(context, outcome)
