"""What the watchdog says, and what it leaves to the next tick: pure, by names, policy and time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from credential_rotation.alerts.digest import digest_message, those_shown
from credential_rotation.by_hand import RECORDS
from credential_rotation.journal.records import RecordName
from credential_rotation.model import Policy
from credential_rotation.planning.planning import Known
from credential_rotation.planning.watchdog import SCHEDULED, Finding, expiry, findings, paused
from scenes.airflow.office import APPROVAL, DAGS, RETIRE, ROTATE, VERIFY, WATCHDOG
from simulators.scene import ETL

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
QUARTERLY = Policy("quarterly", max_age=90 * DAY)


def known(*ages: int, kind: str = "") -> Known:
    """Records of these ages in days, newest first."""
    names = tuple(
        RecordName(f"id-{age}", ETL.name, 1000 - age, NOW - age * DAY, "a1", kind if age == 0 else "")
        for age in ages
    )
    return Known(names, has_current=True)


def told(state: Known, policy: Policy = QUARTERLY) -> list[str]:
    credential = replace(ETL, policy=policy)
    return [one.what for one in findings([credential], {ETL.name: state}, NOW)]


CASES = {
    "young, nothing open: nothing": (known(10), QUARTERLY, ""),
    "due since an hour ago: the next tick's business": (known(90), QUARTERLY, ""),
    "due for more than a day": (known(92), QUARTERLY, "overdue since 2026-11-23"),
    "never rotated": (known(), QUARTERLY, "never rotated"),
    "adopted and never replaced": (
        Known((RecordName("id", ETL.name, 0, NOW - 9 * DAY, "a"),), has_current=True),
        QUARTERLY,
        "never rotated",
    ),
    "rotated only when asked, and never was: nothing": (known(), Policy("manual"), ""),
    "paused": (known(200), replace(QUARTERLY, pause=True), "paused"),
    "in grace and soak: nothing": (known(2, 80), replace(QUARTERLY, grace=3 * DAY), ""),
    "open for half a day longer: the next ticks' business": (
        known(4, 80),
        replace(QUARTERLY, grace=3 * DAY, soak=DAY / 2),
        "",
    ),
    "open long after grace and soak": (known(9, 80), replace(QUARTERLY, grace=3 * DAY), "stuck"),
}


def test_a_pause_stops_what_begins_and_silences_nothing_that_is_half_done() -> None:
    """What was begun is finished in spite of it; what cannot be is told, and young or overdue is not."""
    policy = replace(QUARTERLY, grace=3 * DAY, pause=True)
    paused = "paused by its policy: nothing new begins"
    assert told(known(200), policy) == [paused]
    assert told(known(2, 80), policy) == [paused]
    first, second = told(known(9, 80), policy)
    assert first == paused
    assert second.startswith("stuck: version 991 was begun")


@pytest.mark.parametrize("case", CASES)
def test_what_is_told(case: str) -> None:
    """Each state of a credential, and what the digest has to say of it."""
    state, policy, words = CASES[case]
    said = told(state, policy)
    assert bool(said) is bool(words)
    assert all(words in one for one in said)


@pytest.mark.parametrize(
    ("days", "is_told"), [(60, False), (30, True), (29, False), (7, True), (1, True), (0, True), (-3, True)]
)
def test_the_tokens_end_is_told_ahead(days: int, *, is_told: bool) -> None:
    """30, 7 and 1 days ahead, and every day once it is over."""
    assert bool(expiry({"BWS_ACCESS_TOKEN": NOW + days * DAY + timedelta(hours=1)}, NOW)) is is_told


def test_each_slots_end_is_told_by_its_name() -> None:
    """The second token ends too, and later: that is not the first one's renewal."""
    near, far = NOW + 7 * DAY, NOW + 200 * DAY
    [one] = expiry({"BWS_ACCESS_TOKEN": far, "BWS_ACCESS_TOKEN_NEXT": near}, NOW)
    assert "in BWS_ACCESS_TOKEN_NEXT expires on 2026-12-02, in 7 days" in one.what


def test_an_end_that_nobody_told_is_not_guessed() -> None:
    """Bitwarden does not tell it to a machine account."""
    assert expiry({}, NOW) == ()


def test_every_dag_that_is_paused_is_told_with_what_stops() -> None:
    """Also those that nobody pauses at first: without them nothing is finished, and nothing proved."""
    assert {*SCHEDULED, APPROVAL, RECORDS} == {*DAGS} - {WATCHDOG}
    assert paused(ROTATE).what == f"DAG {ROTATE} is paused: nothing rotates by schedule"
    assert paused(APPROVAL).what == f"DAG {APPROVAL} is paused: nothing rotates by schedule"
    assert paused(RETIRE).what == (
        f"DAG {RETIRE} is paused: what was interrupted is not finished, and no replaced value is ended"
    )
    assert paused(RECORDS).what == f"DAG {RECORDS} is paused: nobody can say in Airflow what was done by hand"
    assert paused(VERIFY).what == f"DAG {VERIFY} is paused: nobody hears of a value that no longer works"


def test_nothing_to_say_is_no_message() -> None:
    """A digest that comes every day is not read."""
    assert digest_message([], deployment=None, run="r") is None


def test_a_digest_names_credential_owner_and_what_it_is() -> None:
    """However many there are, one message that Slack takes."""
    found = [Finding(f"name-{n}", "overdue since 2026-11-23", "data-platform") for n in range(300)]
    message = digest_message(found, deployment="prod", run="r")
    assert message is not None
    assert "name-0 (data-platform): overdue" in message.text
    assert "300 things to see to" in message.text
    shown = len(those_shown(found))
    assert f"and {300 - shown} more: the log of rotation_watchdog has all of them" in message.text
    assert all(len(block.get("text", {}).get("text", "")) <= 3000 for block in message.blocks)


@pytest.mark.parametrize(
    "what", ["overdue since 2026-11-23 " * 12, "<&> " * 40, "\N{LOCK}" * 200, "x" * 5000]
)
def test_a_digest_ends_with_a_whole_line_and_what_it_shows_is_known(what: str) -> None:
    """What was cut off is not told; who takes it for told never tells it."""
    found = [Finding(f"name-{n:03}", what, "data-platform") for n in range(60)]
    shown = those_shown(found)
    assert 0 < len(shown) < 40
    message = digest_message(found, deployment=None, run="r")
    assert message is not None
    said = [block["text"]["text"] for block in message.blocks if "name-" in str(block)]
    for text in (*said, message.text):
        assert [one.name in text for one in found] == [one in shown for one in found]
        assert text.endswith(f"and {60 - len(shown)} more: the log of rotation_watchdog has all of them")
