"""What must hold, in words, by the figures of each part."""

from __future__ import annotations

from bench.inventories import AGAIN, ANEW, ENTRY, FORM
from bench.limits import ALLOWED, PACED, REFUSED
from bench.lookups import AMAZON, ENVIRONMENT, OURS
from bench.plans import WALL as SECONDS
from bench.rotations import BARE, MANY, ONE, OUTAGE
from bench.rotations import OURS as WITH_US
from bench.runs import EMPTY, LOOKING_UP, ROTATING, WALL
from bench.silence import NOT_REMEMBERED, REMEMBERED

Figures = dict[str, dict[str, float]]
"""By what was measured and how."""


def of_lookups(figures: Figures) -> dict[str, bool]:
    """Milliseconds."""
    first, second = figures["first in a fresh task"], figures["second"]
    cold, started = figures["not asked for before, by a warm task"], figures["with the agent to be started"]
    return {
        "first lookup: 1/50 of Amazon's": first[OURS] <= first[AMAZON] / 50,
        "first lookup: the environment's + 2 ms": first[OURS] <= first[ENVIRONMENT] + 2,
        "second lookup: 1/8 of Amazon's": second[OURS] <= second[AMAZON] / 8,
        "second lookup: the environment's + 0.3 ms": second[OURS] <= second[ENVIRONMENT] + 0.3,
        "a value that nobody asked for before: 0.6 of Amazon's warm lookup": cold[OURS] <= 0.6 * cold[AMAZON],
        "with the agent to be started: a third of Amazon's first lookup": started[OURS] <= first[AMAZON] / 3,
        "Bitwarden silent: what is remembered, 99 of 100 below 10 ms": figures[REMEMBERED][OURS] < 10,
        "Bitwarden silent: what is not remembered ends at its deadline": figures[NOT_REMEMBERED][OURS] < 1000,
        "import: 1.5 ms": figures["import of the backend"][OURS] <= 1.5,
    }


def of_rotations(figures: Figures) -> dict[str, bool]:
    """Milliseconds, and rotations a minute."""
    one, outage, many = figures[ONE], figures[OUTAGE], figures[MANY]
    return {
        "a rotation in place: 1.3 of the same calls made bare": one[WITH_US] <= 1.3 * one[BARE],
        "its outage: 1.5 of ALTER, login and one write": outage[WITH_US] <= 1.5 * outage[BARE],
        "rotations a minute: 0.6 of the bare calls": many[WITH_US] >= 0.6 * many[BARE],
    }


def of_limits(figures: Figures) -> dict[str, bool]:
    """Rotations a minute, and requests."""
    paced = figures[PACED]
    return {
        "the cloud's limits on: 95 % of what they allow": paced[WITH_US] >= 0.95 * paced[ALLOWED],
        "the cloud's limits on: no request is refused": figures[REFUSED][WITH_US] == 0,
    }


def of_inventories(figures: Figures) -> dict[str, bool]:
    """Milliseconds of the processor."""
    big = figures["10,000 entries"]
    return {
        "10,000 entries read anew: 15 s": big[ANEW] <= 15_000,
        "10,000 entries with nothing changed: 1 s": big[AGAIN] <= 1_000,
        "10,000 entries for the form, at each DAG parse: 100 ms": big[FORM] <= 100,
        "one of 10,000 entries, for its mapped task: 60 ms": big[ENTRY] <= 60,
    }


def of_plans(figures: Figures) -> dict[str, bool]:
    """Seconds."""
    return {
        "a plan of 10,000, read anew: 15 s": figures[ANEW][SECONDS] <= 15,
        "a plan of 10,000 with nothing changed: 1 s": figures[AGAIN][SECONDS] <= 1,
    }


def of_runs(figures: Figures) -> dict[str, bool]:
    """Seconds of a run."""
    wall = figures[WALL]
    return {
        "100 tasks with two lookups: 1.10 of tasks that do nothing": wall[LOOKING_UP] <= 1.10 * wall[EMPTY],
        "100 mapped rotations: 1.15 of tasks that do nothing": wall[ROTATING] <= 1.15 * wall[EMPTY],
    }
