"""When a credential is due: a table of what is known, what was asked for, and what follows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.model import UNMANAGED_EPOCH, Policy
from credential_rotation.policy import Request, due
from scenes.inventory.schedules import Version

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
WEEKLY = Policy("weekly", max_age=7 * DAY)
PAUSED = Policy("paused", max_age=7 * DAY, pause=True)
MANUAL = Policy("manual", max_age=None)
TICK = Request(at=NOW, by="schedule")
ASKED = Request(at=NOW, by="kim", now=True)
FORCED = Request(at=NOW, by="kim", now=True, force=True, reason="a laptop was lost")


def old(age: timedelta, epoch: int = 3) -> Version:
    return Version(epoch, NOW - age)


CASES = {
    "never rotated: due": (WEEKLY, None, TICK, True, "never rotated"),
    "a person's own value, however young: due": (
        WEEKLY,
        old(DAY, UNMANAGED_EPOCH),
        TICK,
        True,
        "never rotated",
    ),
    "young: not due, with the date": (WEEKLY, old(DAY), TICK, False, "due 2026-12-01 12:00 UTC"),
    "a moment before its time: not due": (
        WEEKLY,
        old(7 * DAY - timedelta(seconds=1)),
        TICK,
        False,
        "due 2026-11-25 12:00 UTC",
    ),
    "to the moment: due": (WEEKLY, old(7 * DAY), TICK, True, "older than 1w"),
    "old: due": (WEEKLY, old(30 * DAY), TICK, True, "older than 1w"),
    "written in the future (a clock went wrong): not due": (
        WEEKLY,
        old(-DAY),
        TICK,
        False,
        "due 2026-12-03 12:00 UTC",
    ),
    "manual, old: not due": (MANUAL, old(900 * DAY), TICK, False, "rotated only when asked (policy manual)"),
    "manual, never rotated: not due": (MANUAL, None, TICK, False, "rotated only when asked (policy manual)"),
    "manual, asked for: begun": (MANUAL, old(DAY), ASKED, True, "asked for by kim"),
    "young, asked for: begun": (WEEKLY, old(DAY), ASKED, True, "asked for by kim"),
    "never rotated, asked for: begun": (WEEKLY, None, ASKED, True, "asked for by kim"),
    "rotated since it was asked for: not again": (
        WEEKLY,
        old(-timedelta(seconds=1)),
        ASKED,
        False,
        "already rotated since it was asked for",
    ),
    "rotated in the very second of the wish: not again": (
        WEEKLY,
        old(timedelta(0)),
        ASKED,
        False,
        "already rotated since it was asked for",
    ),
    "adopted since it was asked for: begun, for that is no rotation": (
        WEEKLY,
        old(-DAY, UNMANAGED_EPOCH),
        ASKED,
        True,
        "asked for by kim",
    ),
    "paused, old: not due": (PAUSED, old(30 * DAY), TICK, False, "paused by its policy"),
    "paused, asked for: not begun": (PAUSED, old(DAY), ASKED, False, "paused by its policy"),
    "paused, forced: begun, for the reason given": (PAUSED, old(DAY), FORCED, True, "a laptop was lost"),
    "forced, and rotated since: not again": (
        WEEKLY,
        old(-DAY),
        FORCED,
        False,
        "already rotated since it was asked for",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_due(case: str) -> None:
    """The decision and its reason follow from policy, version, request and time alone."""
    policy, version, request, begin, reason = CASES[case]
    decision = due(policy, version, request, NOW)
    assert (decision.begin, decision.reason) == (begin, reason)


def test_a_decision_knows_its_date() -> None:
    """Past or to come, so that what is overdue can be told."""
    assert due(WEEKLY, old(DAY), TICK, NOW).at == NOW + 6 * DAY
    assert due(WEEKLY, old(8 * DAY), TICK, NOW).at == NOW - DAY
    assert due(MANUAL, old(DAY), TICK, NOW).at is None


def test_a_reason_of_ones_own_is_the_reason_of_the_decision() -> None:
    """It reaches the evidence, also without force."""
    wish = Request(at=NOW, by="kim", now=True, reason="audit")
    assert due(WEEKLY, old(DAY), wish, NOW).reason == "audit"


@pytest.mark.parametrize("reason", [None, "", "  \n"], ids=["none", "empty", "blank"])
def test_a_forced_request_without_a_reason_cannot_be_made(reason: str | None) -> None:
    """Whoever asks: command line, form or code."""
    with pytest.raises(BadInput, match="a forced rotation needs a reason"):
        Request(at=NOW, by="kim", now=True, force=True, reason=reason)
