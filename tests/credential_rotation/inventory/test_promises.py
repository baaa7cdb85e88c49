"""C8: policies that can never hold are refused with the inequality, and what can hold is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from credential_rotation.inventory.promises import impossible
from credential_rotation.model import CatchUp, Policy
from scenes.inventory.mistakes import entry, written
from scenes.inventory.policy_texts import DAY, HOUR, NIGHT, loaded, policy, refusals_of_editors

GONE = "the old value has to be gone before the next version begins"
NEVER = {
    "grace outlives max_age": (
        "{max_age: 1d, grace: 3d}",
        f"grace 3d is not shorter than max_age 1d: {GONE}",
    ),
    "grace is max_age": ("{max_age: 1d, grace: 24h}", f"grace 1d is not shorter than max_age 1d: {GONE}"),
    "soak outlives max_age": ("{max_age: 1d, soak: 2d}", f"soak 2d is not shorter than max_age 1d: {GONE}"),
    "grace and soak together": (
        "{max_age: 3d, grace: 2d, soak: 1d}",
        f"grace 2d + soak 1d is not shorter than max_age 3d: {GONE}",
    ),
    "jitter begins before the old value is gone": (
        "{max_age: 3d, grace: 2d, jitter: 1d}",
        f"grace 2d + jitter 1d is not shorter than max_age 3d: {GONE}",
    ),
    "jitter alone": (
        "{max_age: 1d, jitter: 1d}",
        "jitter 1d is not shorter than max_age 1d: a version would be due before it was made",
    ),
    "a window rarer than max_age": (
        '{max_age: 3d, window: {from: "22:00", to: "05:00", days: [sun]}}',
        "windows open 1w apart, and max_age 3d is shorter: no version could keep to it",
    ),
    "a window after a weekend, rarer than max_age": (
        '{max_age: 2d, window: {from: "22:00", to: "05:00", days: [mon, tue, wed, thu, fri]}}',
        "windows open 3d apart, and max_age 2d is shorter: no version could keep to it",
    ),
    "the last window comes before the old value is gone": (
        '{max_age: 8d, grace: 2d, window: {from: "22:00", to: "05:00", days: [sun]}}',
        (
            "grace 2d + between two windows 1w is not shorter than max_age 8d: "
            f"a version begins in the last window before its max_age, and {GONE}"
        ),
    ),
    "cron more often than the old value goes": (
        '{cron: "0 3 * * *", grace: 3d}',
        "grace 3d is not shorter than 1d, the shortest time between two versions by cron 0 3 * * *: " + GONE,
    ),
    "cron, at uneven distances": (
        '{cron: "0 3 1,2 * *", grace: 1d}',
        "grace 1d is not shorter than 1d, the shortest time between two versions by cron 0 3 1,2 * *: "
        + GONE,
    ),
    "two ways to fall due": (
        '{max_age: 1d, cron: "0 3 * * *"}',
        "max_age and cron both say when a version is due; keep one",
    ),
    "cron on a day that never comes": (
        '{cron: "0 0 30 2 *"}',
        "cron '0 0 30 2 *' never fires: there is no such day",
    ),
    "cron with four fields": (
        '{cron: "0 3 1 *"}',
        "cron '0 3 1 *' is none; write minute hour day month weekday, as in '0 3 1 * *'",
    ),
    "cron with seconds": (
        '{cron: "0 0 3 1 * *"}',
        "cron '0 0 3 1 * *' is none; write minute hour day month weekday, as in '0 3 1 * *'",
    ),
    "cron at random": (
        '{cron: "R 3 1 * *"}',
        "cron 'R 3 1 * *' is none; write minute hour day month weekday, as in '0 3 1 * *'",
    ),
    "cron by a nickname": (
        '{cron: "@monthly"}',
        "cron '@monthly' is none; write minute hour day month weekday, as in '0 3 1 * *'",
    ),
    "cron at an hour that is none": (
        '{cron: "0 25 * * *"}',
        "cron '0 25 * * *' is none; write minute hour day month weekday, as in '0 3 1 * *'",
    ),
    "cron outside the window": (
        f'{{cron: "0 12 * * *", window: {NIGHT}}}',
        "cron 0 12 * * * (UTC) never fires inside the window 22:00-05:00 (Europe/Berlin)",
    ),
    "cron on another day than the window": (
        '{cron: "0 23 * * mon", window: {from: "22:00", to: "05:00", days: [sun]}}',
        "cron 0 23 * * mon (UTC) never fires inside the window 22:00-05:00 (UTC)",
    ),
    "a window from an hour to the same": (
        '{window: {from: "22:00", to: "22:00"}}',
        "window never opens: from and to are both 22:00",
    ),
    "a window between two runs": (
        '{window: {from: "22:00", to: "22:30"}}',
        "window 22:00-22:30 is shorter than 1h, and runs are 1h apart: they may never fall into it",
    ),
    "jitter beyond the window": (
        '{max_age: 90d, jitter: 5h, window: {from: "00:00", to: "05:00"}}',
        "jitter 5h + 1h between runs is longer than the window of 5h",
    ),
    "a misspelt place": (
        '{max_age: 90d, window: {from: "22:00", to: "05:00", timezone: Europe/Berlln}}',
        "unknown timezone 'Europe/Berlln'; did you mean 'Europe/Berlin'?",
    ),
    "a place that is none": (
        '{cron: "0 3 1 * *", timezone: "../../etc/passwd"}',
        "unknown timezone '../../etc/passwd'; write one as Europe/Berlin, or UTC",
    ),
    "jitter without a schedule": (
        "{jitter: 1h}",
        "jitter spreads what max_age or cron say, and neither is there",
    ),
    "catch-up without a window": (
        "{max_age: 90d, catch_up: at_once}",
        "catch_up at_once is about a missed window, and there is no window",
    ),
    "a place for nothing": (
        "{max_age: 90d, timezone: Europe/Berlin}",
        "timezone Europe/Berlin is for cron or window, and neither is there",
    ),
}


@pytest.mark.parametrize("case", NEVER)
def test_c8_a_policy_that_can_never_hold_is_refused(tmp_path: Path, case: str) -> None:
    """C8: with the inequality that is violated and its values, in policies.yaml and in an entry alike."""
    text, expected = NEVER[case]
    alone = written(tmp_path / "entry" / "include", "credentials:\n" + entry(policy=f"policy: {text}"))
    assert alone == [f"include/credentials/a.yaml:7: etl: {expected}"]
    named = written(
        tmp_path / "named" / "include", "credentials:\n" + entry(), f"policies:\n  quarterly: {text}\n"
    )
    assert named == [
        "include/credentials/a.yaml:7: etl: policy 'quarterly' cannot be read: see include/policies.yaml",
        f"include/policies.yaml:2: {expected}",
    ]


HOLDS = {
    "grace just below max_age": "{max_age: 24h, grace: 23h}",
    "once a week, in a window that opens once a week": (
        '{max_age: 1w, window: {from: "22:00", to: "05:00", days: [sun]}}'
    ),
    "grace fits between two windows": (
        '{max_age: 10d, grace: 2d, window: {from: "22:00", to: "05:00", days: [sun]}}'
    ),
    "cron that falls into the window now and then": f'{{cron: "0 */5 * * *", window: {NIGHT}}}',
    "cron in a window, by two clocks": (
        '{cron: "0 3 1 * *", timezone: Asia/Tokyo, window: {from: "17:00", to: "19:00", timezone: UTC}}'
    ),
    "cron on leap days, in a window on Mondays": (
        '{cron: "0 23 29 2 *", window: {from: "22:00", to: "05:00", days: [mon]}}'
    ),
    "cron every minute": '{cron: "* * * * *"}',
    "cron as in Airflow": '{cron: "0 3 * * mon-fri", grace: 23h}',
    "a window of one hour": '{max_age: 90d, window: {from: "23:30", to: "00:30"}}',
    "a window for what is only asked for": '{window: {from: "22:00", to: "05:00"}}',
    "jitter to the last run of a window": '{max_age: 90d, jitter: 4h, window: {from: "00:00", to: "05:00"}}',
}


@pytest.mark.parametrize("case", HOLDS)
def test_what_can_hold_is_taken(tmp_path: Path, case: str) -> None:
    """The refusals above reach no farther than they have to."""
    policy(tmp_path, HOLDS[case])


def test_c8_the_usual_soak_counts_where_keys_soak() -> None:
    """An old cloud key stays for a day after its grace; a database role has no such day."""
    short = Policy("short", max_age=DAY, grace=HOUR)
    assert impossible(short) == []
    assert impossible(short, soaks=True) == [f"grace 1h + soak 1d is not shorter than max_age 1d: {GONE}"]
    assert impossible(replace(short, soak=HOUR), soaks=True) == []


def test_c8_an_entry_whose_keys_soak_is_held_to_it_under_a_policy_that_suits_others(tmp_path: Path) -> None:
    """The policy stays good for database roles; the entry with keys is refused, with the inequality."""
    policies = "policies:\n  quarterly: {max_age: 1d, grace: 1h}\n"
    inventory = loaded(tmp_path, policies, engine="engine: postgres\n    strategy: overlapping")
    message = f"policy 'quarterly': grace 1h + soak 1d is not shorter than max_age 1d: {GONE}"
    assert f"include/credentials/a.yaml:8: etl: {message}" in [str(problem) for problem in inventory.problems]
    assert loaded(tmp_path / "roles", policies).problems == ()


def test_all_mistakes_of_a_policy_are_told_at_once() -> None:
    """Those that do not follow from one another."""
    wrong = Policy("wrong", max_age=DAY, cron="x", timezone="Nowhere", catch_up=CatchUp.AT_ONCE)
    assert [message.split()[0] for message in impossible(wrong)] == ["max_age", "catch_up", "unknown", "cron"]


@pytest.mark.parametrize("text", HOLDS.values())
def test_editors_take_what_can_hold(text: str) -> None:
    """The shipped schemas refuse nothing that is good."""
    assert refusals_of_editors(text) == []
