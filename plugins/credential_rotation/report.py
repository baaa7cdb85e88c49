"""What became of a run's plan, told to Slack and to whoever looks at the grid.

Rules this file keeps:
- A planned credential without an outcome is told, as loudly as one that failed.
- Slack's trouble is logged, and never turns a rotation red.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from airflow.configuration import conf
from airflow.sdk import Context

from credential_rotation.alerts.message import Message, failure_message, messages_for, run_message
from credential_rotation.alerts.slack import NotSent, SlackSender
from credential_rotation.outcome import DONE, HEALS_BY_ITSELF, OutcomeDict

log = logging.getLogger(__name__)

DEPLOYMENT = "ROTATION_DEPLOYMENT"
OUTCOME = "outcome"
TROUBLE = "trouble"
ASK_AGAIN = (
    "Nothing is wrong. Scheduled runs do not know what was asked for by hand: trigger it again if it is "
    "still wanted."
)


@dataclass(frozen=True, slots=True)
class Reported:
    """One run: what was planned, what came of it, and what kept the plan from being made."""

    work: str
    run: str
    run_link: str
    planned: tuple[str, ...] | None
    """None: the plan was not made."""
    outcomes: tuple[OutcomeDict, ...]
    links: Mapping[str, str]
    trouble: str | None
    is_tick: bool
    act_by: Mapping[str, str] = field(default_factory=dict)
    """When a policy's promise breaks, by name."""

    @classmethod
    def of_this_run(cls, context: Context, *, worker: str, planner: str, work: str) -> Reported:
        """Read what plan and mapped tasks left behind."""
        ti, run = context["ti"], context["dag_run"]
        found = [one for one in ti.xcom_pull(task_ids=[worker], key=OUTCOME) or [] if one]
        planned = ti.xcom_pull(task_ids=planner)
        return cls(
            work=work,
            run=run.run_id,
            run_link=_run_link(ti.dag_id, run.run_id),
            planned=None if planned is None else tuple(planned),
            outcomes=tuple(found),
            links={one["name"]: one["log_url"] for one in found},
            trouble=ti.xcom_pull(task_ids=planner, key=TROUBLE),
            is_tick=run.run_type == "scheduled",
            act_by={one["name"]: one["act_by"] for one in found if one.get("act_by")},
        )

    @property
    def is_unconfigured(self) -> bool:
        """The plan was skipped: nothing has been filled in."""
        return self.planned is None and self.trouble is None

    @property
    def missing(self) -> tuple[str, ...]:
        """Planned, and nobody can tell what became of it."""
        told = {one["name"] for one in self.outcomes}
        return tuple(name for name in self.planned or () if name not in told)

    @property
    def complaint(self) -> str:
        """Why the run is red; empty where everything that was planned happened and was proved."""
        open_ones = [f"{o['name']} ({o['outcome']})" for o in self.outcomes if o["outcome"] not in DONE]
        parts = [self.trouble or ""]
        if self.planned is None and not self.trouble:
            parts.append("the plan was not made")
        if open_ones:
            parts.append(f"{len(open_ones)} of {len(self.planned or ())} not done: {', '.join(open_ones)}")
        if self.missing:
            parts.append(f"no outcome of {', '.join(self.missing)}")
        return "; ".join(part for part in parts if part)

    def log_all(self) -> None:
        """One line per credential, in the report's log."""
        for one in self.outcomes:
            log.info("%s: %s, %s", one["name"], one["outcome"], one["reason"])

    def tell_slack(self, environ: Mapping[str, str], owners: Mapping[str, str]) -> None:
        """Post what needs a person."""
        messages = self._messages(environ.get(DEPLOYMENT), owners)
        sender = SlackSender.from_environment(environ)
        for message in messages:
            sent = sender.send(message)
            if isinstance(sent, NotSent):
                say = log.error if sent.is_configured else log.warning
                say("Slack was not told: %s. It would have read: %s", sent.why, message.text)

    def _messages(self, deployment: str | None, owners: Mapping[str, str]) -> tuple[Message, ...]:
        alone = messages_for(
            self.outcomes,
            links=self.links,
            owners=owners,
            act_by=self.act_by,
            run_link=self.run_link,
            deployment=deployment,
            run=self.run,
            work=self.work,
        )
        alone += self._wishes_that_wait(deployment, owners)
        if not self.missing and not self.trouble:
            return alone
        about_run = run_message(
            planned=len(self.planned or ()),
            missing=self.missing,
            link=self.run_link,
            deployment=deployment,
            run=self.run,
            why=self.trouble or "",
            work=self.work,
        )
        return (*alone, about_run)

    def _wishes_that_wait(self, deployment: str | None, owners: Mapping[str, str]) -> tuple[Message, ...]:
        """Asked for by hand, and not done in time; a tick's own work is done by the next one."""
        if self.is_tick:
            return ()
        return tuple(
            failure_message(
                {**one, "next_step": ASK_AGAIN},
                link=self.links.get(one["name"], self.run_link),
                deployment=deployment,
                owner=owners.get(one["name"], "not known"),
                run=self.run,
                work=self.work,
            )
            for one in self.outcomes
            if one["outcome"] in HEALS_BY_ITSELF
        )


def _run_link(dag_id: str, run_id: str) -> str:
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}" if base else ""
