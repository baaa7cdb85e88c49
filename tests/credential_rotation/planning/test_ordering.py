"""In which order a run takes what there is to do, and what it leaves for the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from credential_rotation.journal.records import RecordName
from credential_rotation.model import Credential, EntryAdmin, Limits, Policy, Window
from credential_rotation.outcome import Outcome
from credential_rotation.planning.ordering import MOST_TASKS, ordered
from credential_rotation.planning.planning import Known
from credential_rotation.policy import Request
from simulators.scene import ETL, START

TICK = Request(at=START, by="schedule")
DAY = timedelta(days=1)
WEEKLY = Policy("weekly", max_age=7 * DAY)
PAUSED = replace(WEEKLY, pause=True)
LATER = replace(WEEKLY, window=Window(timedelta(hours=22), timedelta(hours=23)))
"""START is at noon."""


@dataclass(frozen=True)
class Entry:
    """One entry; `overdue` None: it is young."""

    name: str
    overdue: timedelta | None = DAY
    admin: str | None = None
    after: tuple[str, ...] = ()
    is_open: bool = False
    policy: Policy = WEEKLY

    @property
    def pair(self) -> tuple[Credential, Known]:
        age = DAY if self.overdue is None else 7 * DAY + self.overdue
        newest = RecordName(f"{self.name}-2", self.name, 2, START - age, "a2")
        before = RecordName(f"{self.name}-1", self.name, 1, START - age - DAY, "a1")
        credential = replace(
            ETL,
            name=self.name,
            policy=self.policy,
            after=self.after,
            admin=EntryAdmin(self.admin) if self.admin else None,
        )
        return credential, Known((newest, before) if self.is_open else (newest,), has_current=True)


def run(
    *entries: Entry,
    begin: Request | None = TICK,
    limits: Limits = Limits(),  # noqa: B008  # frozen
    these: Sequence[str] | None = None,
) -> tuple[Outcome, ...]:
    pairs = [entry.pair for entry in entries]
    return ordered(pairs, begin=begin, now=START, limits=limits, these=these)


def planned(outcomes: Sequence[Outcome]) -> list[str]:
    return [one.name for one in outcomes if one.outcome == "planned"]


def waiting(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {one.name: one.reason.partition("; ")[2] for one in outcomes if one.outcome == "waiting"}


ORDER: dict[str, tuple[list[Entry], list[str], dict[str, str]]] = {
    "the longest overdue goes first": (
        [Entry("a", DAY), Entry("b", 3 * DAY), Entry("c", 2 * DAY)],
        ["b", "c", "a"],
        {},
    ),
    "what is open is finished before anything begins": (
        [Entry("a", 9 * DAY), Entry("b", None, is_open=True)],
        ["b", "a"],
        {},
    ),
    "an admin of entries that are young goes": ([Entry("root"), Entry("a", None, "root")], ["root"], {}),
    "an admin waits for the run after those it administers are begun": (
        [Entry("root", timedelta(hours=1)), Entry("a", timedelta(minutes=1), "root")],
        ["a"],
        {"root": "administers a, begun in this run"},
    ),
    "an admin that is overdue for more than a day goes, last": (
        [Entry("root", 9 * DAY), Entry("a", timedelta(minutes=1), "root")],
        ["a", "root"],
        {},
    ),
    "the admin of an admin goes last of all": (
        [Entry("top", 9 * DAY), Entry("root", 8 * DAY, "top"), Entry("a", 7 * DAY, "root")],
        ["a", "root", "top"],
        {},
    ),
    "an admin does not wait for an entry that is only finished": (
        [Entry("root", timedelta(hours=1)), Entry("a", None, "root", is_open=True)],
        ["a", "root"],
        {},
    ),
    "an admin that is open is finished at once": (
        [Entry("root", None, is_open=True), Entry("a", DAY, "root")],
        ["root", "a"],
        {},
    ),
    "after an entry that is due: waits": (
        [Entry("b", 9 * DAY, after=("a",)), Entry("a")],
        ["a"],
        {"b": "goes after a, which is due or open"},
    ),
    "after an entry that is open: waits": (
        [Entry("b", after=("a",)), Entry("a", None, is_open=True)],
        ["a"],
        {"b": "goes after a, which is due or open"},
    ),
    "after an entry that is young: goes": ([Entry("b", after=("a",)), Entry("a", None)], ["b"], {}),
    "after an entry that is due and waits for its window: waits with it": (
        [Entry("b", after=("a",)), Entry("a", policy=LATER)],
        [],
        {"b": "goes after a, which is due or open"},
    ),
    "after an entry that is paused: goes, for a pause is not catching": (
        [Entry("b", after=("a",)), Entry("a", policy=PAUSED)],
        ["b"],
        {},
    ),
    "after one that waits itself: the chain goes one by one": (
        [Entry("c", after=("b",)), Entry("b", after=("a",)), Entry("a")],
        ["a"],
        {"b": "goes after a, which is due or open", "c": "goes after b, which is due or open"},
    ),
    "after two that are due: both are named": (
        [Entry("c", after=("a", "b")), Entry("a"), Entry("b")],
        ["a", "b"],
        {"c": "goes after a, b, which are due or open"},
    ),
    "open itself, after one that is due: finished all the same": (
        [Entry("b", None, after=("a",), is_open=True), Entry("a")],
        ["b", "a"],
        {},
    ),
    "young, after one that is due: nothing to wait with": (
        [Entry("b", None, after=("a",)), Entry("a")],
        ["a"],
        {},
    ),
}


@pytest.mark.parametrize("case", ORDER)
def test_order(case: str) -> None:
    """What runs, in its order, and what waits and why."""
    entries, names, waits = ORDER[case]
    outcomes = run(*entries)
    assert (planned(outcomes), waiting(outcomes)) == (names, waits)
    assert {one.name for one in outcomes} == {entry.name for entry in entries}


def test_the_brake_lets_the_longest_overdue_begin_and_the_rest_wait() -> None:
    """Five are due and two may begin: the two that have waited longest, and the next run takes the others."""
    outcomes = run(*(Entry(f"e{day}", day * DAY) for day in range(1, 6)), limits=Limits(per_tick=2))
    assert planned(outcomes) == ["e5", "e4"]
    assert waiting(outcomes) == dict.fromkeys(("e3", "e2", "e1"), "brake: at most 2 a run")
    assert outcomes[2].reason == "older than 1w; brake: at most 2 a run"
    assert outcomes[2].heals_by_itself


def test_the_brake_does_not_hold_back_what_was_begun() -> None:
    """Three that are open are all finished beside the one new version that a run may begin."""
    entries = [Entry(f"open{n}", None, is_open=True) for n in range(3)]
    outcomes = run(*entries, Entry("a"), Entry("b"), limits=Limits(per_tick=1))
    assert planned(outcomes) == ["open0", "open1", "open2", "a"]
    assert list(waiting(outcomes)) == ["b"]


def test_a_run_stays_below_what_airflow_maps() -> None:
    """More open credentials than Airflow maps are taken in two runs, instead of failing the plan."""
    entries = [Entry(f"e{n}", None, is_open=True) for n in range(MOST_TASKS + 5)]
    outcomes = run(*entries, begin=None)
    assert MOST_TASKS < 1024
    assert len(planned(outcomes)) == MOST_TASKS
    assert set(waiting(outcomes).values()) == {"brake: at most 1000 tasks a run"}


def test_entries_of_other_runs_count_for_the_order_and_not_for_the_brake() -> None:
    """A database entry goes after a cloud entry that another DAG rotates, which takes none of its places."""
    entries = [Entry("cloud", 9 * DAY), Entry("a"), Entry("b", after=("cloud",))]
    outcomes = run(*entries, these=["a", "b"], limits=Limits(per_tick=1))
    assert planned(outcomes) == ["a"]
    assert waiting(outcomes) == {"b": "brake: at most 1 a run"}
    outcomes = run(*entries, these=["a", "b"])
    assert waiting(outcomes) == {"b": "goes after cloud, which is due or open"}


def test_a_run_that_begins_nothing_takes_only_what_is_open() -> None:
    """Neither order nor brake has a say where nothing new begins."""
    entries = [
        Entry("root", None, is_open=True),
        Entry("a", None, "root", ("root",), is_open=True),
        Entry("b"),
    ]
    outcomes = run(*entries, begin=None, limits=Limits(per_tick=1))
    assert planned(outcomes) == ["root", "a"]
    assert waiting(outcomes) == {}


def test_a_circle_of_admins_ends() -> None:
    """The inventory refuses it; should one come through all the same, the plan is made."""
    outcomes = run(Entry("a", 3 * DAY, "b"), Entry("b", 2 * DAY, "a"))
    assert sorted(one.name for one in outcomes) == ["a", "b"]
    assert planned(outcomes)
