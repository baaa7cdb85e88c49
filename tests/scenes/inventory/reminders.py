"""What people may have to do by hand: each state of an entry, how near its time is, and the words for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from credential_rotation.journal.records import RecordName
from credential_rotation.model import Consumer, Credential, Policy, Strategy, Target
from credential_rotation.planning.planning import Known
from credential_rotation.planning.reminders import AT_ONCE, LATE, reminders_of
from simulators.scene import ETL, PAIR

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
LOOKER = Consumer("manual", "Looker", "bi")
BY_HAND = replace(
    ETL,
    engine="manual",
    strategy=Strategy.BY_HAND,
    principals=(),
    target=Target("", {}),
    policy=Policy("yearly", max_age=365 * DAY),
    options={"instructions": "Ring up\nthe bank."},
)
TAKEN_BY_HAND = replace(PAIR, consumers=(LOOKER,), policy=Policy("quarterly", max_age=90 * DAY, grace=DAY))
IN_PLACE = replace(ETL, consumers=(LOOKER,))


def known(age: float | None, *, older: bool = False, awaited: tuple[Consumer, ...] = ()) -> Known:
    """A newest version of this age in days, and one before it."""
    ages = [] if age is None else [age, 100.0] if older else [age]
    names = (RecordName(f"id-{one}", ETL.name, 9 - n, NOW - one * DAY, "a") for n, one in enumerate(ages))
    return Known(tuple(names), has_current=True, awaited=awaited)


CASES: dict[str, tuple[Credential, Known, list[tuple[int, str]]]] = {
    "changed by a person, young": (BY_HAND, known(10), []),
    "a month ahead": (BY_HAND, known(336), [(30, "due in 29 days, on 2026-12-24, to be changed by hand")]),
    "a week ahead": (BY_HAND, known(359), [(7, "due in 6 days, on 2026-12-01")]),
    "a day ahead": (BY_HAND, known(364.5), [(1, "due in 1 day")]),
    "overdue": (
        BY_HAND,
        known(370),
        [(LATE, "overdue since 2026-11-20, to be changed by hand: Ring up the bank.")],
    ),
    "never closed": (BY_HAND, known(None), [(LATE, "never closed, as far as the state folder knows")]),
    "paused, and overdue": (replace(BY_HAND, policy=replace(BY_HAND.policy, pause=True)), known(370), []),
    "taken by hand, and everybody has it": (TAKEN_BY_HAND, known(2, older=True), []),
    "to be handed on, since today": (
        TAKEN_BY_HAND,
        known(0.1, older=True, awaited=(LOOKER,)),
        [
            (
                AT_ONCE,
                "a new value has to be handed on by hand until 2026-12-03; the old one lives on meanwhile",
            )
        ],
    ),
    "to be handed on by tomorrow": (
        TAKEN_BY_HAND,
        known(7.5, older=True, awaited=(LOOKER,)),
        [(1, "has to be handed on by hand until 2026-11-26")],
    ),
    "was to be handed on": (
        TAKEN_BY_HAND,
        known(9, older=True, awaited=(LOOKER,)),
        [(LATE, "a new value had to be handed on by hand until 2026-11-24")],
    ),
    "nothing waits for it, and nobody has said it": (
        TAKEN_BY_HAND,
        known(30, awaited=(LOOKER,)),
        [(AT_ONCE, "nobody has said that the value in use was handed on by hand")],
    ),
    "in place it may be refused from the first moment": (
        IN_PLACE,
        known(1, awaited=(LOOKER,)),
        [(LATE, "may be refused since 2026-11-24: a new value has to be handed on by hand")],
    ),
    "in place it is told a week ahead": (
        IN_PLACE,
        known(84),
        [(7, "is rotated in place from 2026-12-01 on: have somebody give Looker (bi) the new value")],
    ),
    "in place, due: the run is near": (IN_PLACE, known(91), []),
}


def lines() -> Iterator[str]:
    """Every line that reminds."""
    for credential, state, _ in CASES.values():
        for one in reminders_of([credential], {credential.name: state}, NOW):
            yield one.finding.what
