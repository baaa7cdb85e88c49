"""What became of a run's plan, told to people and to whoever looks at the grid.

Rules this file keeps:
- A planned credential without an outcome is told, as loudly as one that failed; so is one whose outcome
  cannot be used.
- Slack's trouble is logged, and never turns a rotation red.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from airflow.configuration import conf
from airflow.sdk import Context

from credential_rotation.alerts.people import DEPLOYMENT, teller_of
from credential_rotation.alerts.revoked import tell_revoked
from credential_rotation.alerts.run import Run
from credential_rotation.alerts.situation import REVOCATION
from credential_rotation.alerts.waits import tell_waits
from credential_rotation.outcome import DONE, HEALS_BY_ITSELF, OutcomeDict
from credential_rotation.tasks.asker import asker
from credential_rotation.tasks.handed_on import IS_ANSWER, Left, has_died, left_in, shares_of
from credential_rotation.tasks.trigger_form import is_compromise, is_dry_run

log = logging.getLogger(__name__)

TROUBLE = "trouble"
UNCONFIGURED = "unconfigured"
"""Left by a planner that met nothing to plan for: its word alone tells a fresh drop-in from one that died."""


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
    is_chosen: bool = False
    """It was asked for certain credentials, and passed over what is wrong with others."""
    is_dry: bool = False
    """It only looked."""
    is_part: bool = False
    """One credential's end; the others of its run tell theirs."""
    is_unconfigured: bool = False
    """The plan was skipped: nothing has been filled in."""
    act_by: Mapping[str, str] = field(default_factory=dict)
    """When a policy's promise breaks, by name."""
    answers: frozenset[str] = frozenset()
    """Whose end was a person's answer, or that there was none."""
    left_out: frozenset[str] = frozenset()
    """Whom the planner gave to no task."""
    dag: str = ""
    by: str = ""
    why: str | None = None
    context: Context | None = field(default=None, repr=False)

    @classmethod
    def of_this_run(cls, context: Context, *, worker: str, planner: str, work: str) -> Reported:
        """Read what plan and mapped tasks left behind."""
        ti, is_tick = context["ti"], context["dag_run"].run_type == "scheduled"
        is_dead, made = has_died(ti, planner), shares_of(ti, [planner])
        shares = None if is_dead else made
        left_out = shares.left_out if shares else ()
        left = left_in(ti, worker, shares, is_tick=is_tick) if shares else Left()
        found = (*left.outcomes, *left_out)
        said = None if is_dead and made else ti.xcom_pull(task_ids=planner, key=TROUBLE)  # that plan's
        trouble = "; ".join(filter(None, (said if isinstance(said, str) else "", left.trouble)))
        is_unconfigured = (
            shares is None and not is_dead and bool(ti.xcom_pull(task_ids=planner, key=UNCONFIGURED))
        )
        if shares is None and not is_unconfigured:
            trouble = trouble or _left_nothing(planner)
        return replace(
            cls._of_run(context, work),
            planned=shares.planned if shares else None,
            outcomes=found,
            links={one["name"]: one["log_url"] for one in found},
            trouble=trouble or None,
            is_unconfigured=is_unconfigured,
            act_by={one["name"]: one["act_by"] for one in found if one.get("act_by")},
            answers=frozenset(one["name"] for one in found if one.get(IS_ANSWER)),
            left_out=frozenset(one["name"] for one in left_out),
        )

    @classmethod
    def of_one(cls, context: Context, outcome: OutcomeDict, *, act_by: str | None, work: str) -> Reported:
        """One credential's end, told by its own task: others of its run may wait for a person for hours."""
        return replace(
            cls._of_run(context, work),
            planned=(outcome["name"],),
            outcomes=(outcome,),
            is_part=True,
            links={outcome["name"]: context["ti"].log_url},
            act_by={outcome["name"]: act_by} if act_by else {},
        )

    @classmethod
    def _of_run(cls, context: Context, work: str) -> Reported:
        """Who asked for what, and nothing yet of what came of it."""
        dag_id, run = context["ti"].dag_id, context["dag_run"]
        reason = context["params"].get("reason")
        return cls(
            work=REVOCATION if is_compromise(context["params"]) else work,
            run=run.run_id,
            run_link=_run_link(dag_id, run.run_id),
            planned=None,
            outcomes=(),
            links={},
            trouble=None,
            is_tick=run.run_type == "scheduled",
            is_chosen=bool(context["params"].get("credentials")),
            is_dry=is_dry_run(context["params"]),
            dag=dag_id,
            by=asker(run) or "schedule",
            why=reason if isinstance(reason, str) else None,
            context=context,
        )

    @property
    def untold(self) -> Reported:
        """The same where each task has told its own outcome: what no task could tell.

        Whom a dry run gave to no task waits for nothing.
        """
        left_out = tuple(one for one in self.outcomes if one["name"] in self.left_out and not self.is_dry)
        names = (*self.missing, *(one["name"] for one in left_out))
        return replace(self, outcomes=left_out, planned=None if self.planned is None else names)

    @property
    def to_tell(self) -> Reported:
        """What others than who asked hear, and look back at: of a dry run only who was lost in it."""
        return self.untold if self.is_dry else self

    @property
    def missing(self) -> tuple[str, ...]:
        """Planned, and nobody can tell what became of it."""
        told = {one["name"] for one in self.outcomes}
        return tuple(name for name in self.planned or () if name not in told)

    @property
    def complaint(self) -> str:
        """Why the run is red; empty where all that was planned happened and was proved.

        What waits by rule (grace, readers, `per_tick`) is the next tick's; what is busy nobody knows here.
        """
        unanswered = [one for one in self.outcomes if one["name"] not in self.answers]
        fine = {*DONE, "waiting"} if self.is_tick else DONE
        open_ones = [f"{o['name']} ({o['outcome']})" for o in unanswered if o["outcome"] not in fine]
        parts = [self.trouble or ""]
        if open_ones:
            parts.append(f"{len(open_ones)} of {len(self.planned or ())} not done: {', '.join(open_ones)}")
        if self.missing:
            parts.append(f"no outcome of {', '.join(self.missing)}")
        return "; ".join(part for part in parts if part)

    def log_all(self) -> None:
        """One line per credential, in the report's log."""
        for one in self.outcomes:
            log.info("%s: %s, %s", one["name"], one["outcome"], one["reason"])

    def tell_people(self, environ: Mapping[str, str], owners: Mapping[str, str]) -> None:
        """Tell what needs a person, and what no longer does."""
        run = self.as_run(environ.get(DEPLOYMENT), owners)
        teller = teller_of(environ, context=self.context)
        teller.tell(run)
        tell_revoked(teller, run)
        if not self.is_part:
            tell_waits(teller, run, self._wishes_that_wait())

    def sum_up(self, environ: Mapping[str, str], owners: Mapping[str, str]) -> None:
        """Tell what many tasks had to say, each of which has told its own end."""
        run, teller = self.as_run(environ.get(DEPLOYMENT), owners), teller_of(environ, context=self.context)
        teller.sum_up(run)
        tell_waits(teller, run, [one for one in self._wishes_that_wait() if one["name"] not in self.left_out])

    def as_run(self, deployment: str | None, owners: Mapping[str, str]) -> Run:
        """The same, as people are told of it."""
        return Run(
            work=self.work,
            run=self.run,
            outcomes=self.outcomes,
            dag=self.dag,
            link=self.run_link,
            deployment=deployment,
            planned=len(self.planned or ()),
            has_plan=self.planned is not None,
            is_chosen=self.is_chosen,
            missing=self.missing,
            trouble=self.trouble or "",
            links=self.links,
            owners=owners,
            act_by=self.act_by,
            by=self.by,
            why=self.why,
            is_wish=not self.is_tick,
            is_part=self.is_part,
        )

    def _wishes_that_wait(self) -> tuple[OutcomeDict, ...]:
        """Asked for by hand, and not done in time; a tick's own work is done by the next one."""
        if self.is_tick or self.work == REVOCATION:
            return ()
        return tuple(one for one in self.outcomes if one["outcome"] in HEALS_BY_ITSELF)


def _left_nothing(planner: str) -> str:
    """Of a planner that could not say what happened to it."""
    return (
        "the plan was not made, and nothing tells why: its task was killed, took too long, or met what "
        f"nobody foresaw; see the log of {planner}"
    )


def _run_link(dag_id: str, run_id: str) -> str:
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}" if base else ""
