"""In which order one run takes what there is to do, and what it leaves for the next.

Rules this file keeps:
- What was begun is finished first, and never waits for an order or for the brake.
- An admin goes after the entries that it administers, and not in a run that begins one of them: runs are
  parallel, and an admin's password that changes in between is refused to the other.
- What goes `after` another entry waits while that one is due or open; what is paused or waits for a
  person's approval holds up nobody.
- The longest overdue go first; what the brake cuts goes on in the next run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credential_rotation.model import USUAL_LIMITS, Credential, EntryAdmin, Limits
from credential_rotation.outcome import Outcome
from credential_rotation.planning.planning import Known, plan
from credential_rotation.policy import Decision, Request, due

MOST_TASKS = 1000
"""Airflow maps a task at most 1024 times (`max_map_length`), and fails the plan beyond."""
PATIENCE = timedelta(days=1)
"""So long overdue, an admin waits no more for entries that are begun anew in each run."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One credential's place in the run."""

    credential: Credential
    outcome: Outcome
    is_open: bool
    decision: Decision | None
    """None where nothing may begin."""
    rank: int
    """How many levels of entries it administers."""

    @property
    def is_planned(self) -> bool:
        return self.outcome.outcome == "planned"

    @property
    def is_unsettled(self) -> bool:
        """It is open, or due however soon it may begin."""
        decision, pause = self.decision, self.credential.policy.pause
        if self.is_open or decision is None:
            return self.is_open
        return decision.begin or (decision.blocked and not pause and not decision.needs_approval)

    @property
    def order(self) -> tuple[int, int, float]:
        kind = 0 if self.is_open else 1 if self.is_planned else 2
        at = self.decision.at if self.decision is not None and kind == 1 else None
        return (kind, self.rank if kind == 1 else 0, at.timestamp() if at else 0.0)


def ordered(
    inventory: Iterable[tuple[Credential, Known]],
    *,
    begin: Request | None,
    now: datetime,
    limits: Limits = USUAL_LIMITS,
    these: Collection[str] | None = None,
) -> tuple[Outcome, ...]:
    """The outcome of `plan` for each, in the order of the run: first what is `planned`.

    What has to let others go first, or is cut by the brake, is `waiting`. `these` are the names that the
    run is about (all, left out); the others count where an entry goes after them.
    """
    pairs = tuple(inventory)
    ranks = _ranks([one for one, _ in pairs])
    turns = [_turn(one, known, begin, now, ranks[one.name]) for one, known in pairs]
    unsettled = frozenset(turn.credential.name for turn in turns if turn.is_unsettled)
    run = _Run(limits, unsettled, now)
    wanted = None if these is None else frozenset(these)
    chosen = [turn for turn in turns if wanted is None or turn.credential.name in wanted]
    outcomes = [run.take(turn) for turn in sorted(chosen, key=lambda turn: turn.order)]
    return tuple(sorted(outcomes, key=lambda outcome: outcome.outcome != "planned"))


class _Run:
    """What was taken so far; turns come in their order."""

    def __init__(self, limits: Limits, unsettled: Collection[str], now: datetime) -> None:
        self._limits = limits
        self._unsettled = unsettled
        self._now = now
        self._tasks = 0
        self._begun: list[Credential] = []

    def take(self, turn: _Turn) -> Outcome:
        """Plan it, or let it wait and say why."""
        if not turn.is_planned:
            return turn.outcome
        why = self._too_many(turn) or ("" if turn.is_open else self._out_of_turn(turn))
        if why:
            return replace(turn.outcome, outcome="waiting", reason=f"{turn.outcome.reason}; {why}")
        self._tasks += 1
        if not turn.is_open:
            self._begun.append(turn.credential)
        return turn.outcome

    def _too_many(self, turn: _Turn) -> str:
        if self._tasks >= MOST_TASKS:
            return f"brake: at most {MOST_TASKS} tasks a run"
        if not turn.is_open and len(self._begun) >= self._limits.per_tick:
            return f"brake: at most {self._limits.per_tick} a run"
        return ""

    def _out_of_turn(self, turn: _Turn) -> str:
        first = [name for name in turn.credential.after if name in self._unsettled]
        if first:
            return f"goes after {', '.join(first)}, which {'is' if len(first) == 1 else 'are'} due or open"
        at = turn.decision.at if turn.decision is not None else None
        begun = [one.name for one in self._begun if one.admin == EntryAdmin(turn.credential.name)]
        if begun and not (at is not None and self._now - at > PATIENCE):
            return f"administers {', '.join(begun[:3])}{' …' if begun[3:] else ''}, begun in this run"
        return ""


def _turn(credential: Credential, known: Known, begin: Request | None, now: datetime, rank: int) -> _Turn:
    decision = None if begin is None else due(credential.policy, known.newest, begin, now)
    return _Turn(
        credential=credential,
        outcome=plan(credential, known, begin=begin, now=now, decision=decision),
        is_open=known.is_open,
        decision=decision,
        rank=rank,
    )


def _ranks(credentials: Sequence[Credential]) -> dict[str, int]:
    """0 for who administers nobody, else one more than the highest of those it administers.

    The inventory refuses circles; should one come here all the same, it ends at the number of entries.
    """
    ranks = {one.name: 0 for one in credentials}
    links = [(one.name, one.admin.name) for one in credentials if isinstance(one.admin, EntryAdmin)]
    links = [(name, admin) for name, admin in links if admin in ranks]
    for _ in credentials:
        higher = [(name, admin) for name, admin in links if ranks[admin] <= ranks[name]]
        if not higher:
            break
        for name, admin in higher:
            ranks[admin] = ranks[name] + 1
    return ranks
