"""H5: what becomes of a wish that window, pause or its own date holds back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from credential_rotation.model import CatchUp, Policy
from credential_rotation.policy import NOT_OPEN, UNPAUSE, Request, due
from scenes.inventory.schedules import AGED, DAY, HOUR, NIGHTLY, Version, utc

DAYTIME, ASKED_AT = utc("2026-12-01T12:00"), utc("2026-12-01T11:59")
SATURDAY = utc("2026-12-05T00:00")
YOUNG = Version(3, utc("2026-12-01T10:00"))
ASKED = Request(at=ASKED_AT, by="kim", now=True)
FORCED = Request(at=ASKED_AT, by="kim", now=True, force=True, reason="a laptop was lost")
LATER = replace(ASKED, not_before=SATURDAY)

WISHES: dict[str, tuple[Policy, Version, Request, datetime, tuple[bool, str, str, str, datetime | None]]] = {
    "asked for at night: begun": (
        NIGHTLY,
        YOUNG,
        ASKED,
        utc("2026-12-01T23:00"),
        (True, "asked for by kim", "unchanged", "", ASKED_AT),
    ),
    "asked for outside the window: refused, with the hour at which it opens": (
        NIGHTLY,
        YOUNG,
        ASKED,
        DAYTIME,
        (
            False,
            "outside its window, which opens 2026-12-01 21:00 UTC",
            "refused",
            NOT_OPEN,
            utc("2026-12-01T21:00"),
        ),
    ),
    "asked for outside the window, which it missed, at_once: refused all the same": (
        replace(NIGHTLY, catch_up=CatchUp.AT_ONCE),
        Version(3, utc("2026-10-01T12:00")),
        ASKED,
        DAYTIME,
        (
            False,
            "outside its window, which opens 2026-12-01 21:00 UTC",
            "refused",
            NOT_OPEN,
            utc("2026-12-01T21:00"),
        ),
    ),
    "asked for while paused: refused, with the way out": (
        replace(AGED, pause=True),
        YOUNG,
        ASKED,
        DAYTIME,
        (False, "paused by its policy", "refused", UNPAUSE, None),
    ),
    "forced outside the window and paused: begun": (
        replace(NIGHTLY, pause=True),
        YOUNG,
        FORCED,
        DAYTIME,
        (True, "a laptop was lost", "unchanged", "", ASKED_AT),
    ),
    "asked for not before Saturday, on Tuesday: waits until then": (
        AGED,
        YOUNG,
        LATER,
        DAYTIME,
        (False, "asked for not before 2026-12-05 00:00 UTC", "waiting", "", SATURDAY),
    ),
    "asked for not before Saturday, on Saturday: begun": (
        AGED,
        YOUNG,
        LATER,
        SATURDAY,
        (True, "asked for by kim", "unchanged", "", SATURDAY),
    ),
    "asked for not before Saturday, rotated on Thursday: begun, for that one is older": (
        AGED,
        Version(4, utc("2026-12-03T00:00")),
        LATER,
        SATURDAY,
        (True, "asked for by kim", "unchanged", "", SATURDAY),
    ),
    "asked for not before Saturday, rotated since: not again": (
        AGED,
        Version(4, SATURDAY + HOUR),
        LATER,
        SATURDAY + 2 * HOUR,
        (False, "already rotated since it was asked for", "unchanged", "", None),
    ),
    "forced, not before Saturday: waits, for that is the wish itself": (
        AGED,
        YOUNG,
        replace(FORCED, not_before=SATURDAY),
        DAYTIME,
        (False, "asked for not before 2026-12-05 00:00 UTC", "waiting", "", SATURDAY),
    ),
    "not before a moment that is over: begun": (
        AGED,
        YOUNG,
        replace(ASKED, not_before=ASKED_AT - DAY),
        DAYTIME,
        (True, "asked for by kim", "unchanged", "", ASKED_AT),
    ),
}


@pytest.mark.parametrize("case", WISHES)
def test_h5_what_was_asked_for_and_not_done_is_not_green(case: str) -> None:
    """H5: a wish that window, pause or its own date holds back never ends as if nothing were left to do."""
    policy, version, request, now, expected = WISHES[case]
    decision = due(policy, version, request, now)
    assert (decision.begin, decision.reason, decision.outcome, decision.next_step, decision.at) == expected
    assert decision.blocked == (decision.outcome != "unchanged")
