"""A policy that wants a second person's yes: what begins without one, whose counts, and what never waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from credential_rotation.approvers import Approval
from credential_rotation.checks.approval_remarks import remarks_on_approval
from credential_rotation.model import ApprovalRule, Policy, Window
from credential_rotation.planning.ordering import ordered
from credential_rotation.planning.planning import Known, plan
from credential_rotation.policy import Request, due
from simulators.scene import ETL, GRACE, KEYS, PAIR, Scene, rotated_scene
from simulators.world import Crash, Fault

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOTH = Policy("both", max_age=7 * DAY, approval=ApprovalRule())
NAMED = replace(BOTH, approval=ApprovalRule(by=("ben", "Kim")))
TICK = Request(at=NOW, by="schedule")
ASKED = Request(at=NOW, by="kim", now=True)
FORCED = Request(at=NOW, by="kim", now=True, force=True, reason="a laptop was lost")
REVOKED = replace(FORCED, revoke=True)
AT_NIGHT = replace(BOTH, window=Window(22 * HOUR, 23 * HOUR))


def yes(by: str, user_id: str | None = None) -> Approval:
    return Approval(by, user_id or by, NOW)


CASES = {
    "a tick without a yes waits": (
        BOTH,
        TICK,
        "waiting",
        "never rotated; its policy wants the approval of a",
    ),
    "by hand without a yes is refused": (BOTH, ASKED, "refused", "asked for by kim; its policy wants"),
    "force does not replace a yes": (BOTH, FORCED, "refused", "a laptop was lost; its policy wants"),
    "somebody else's yes begins it": (BOTH, replace(ASKED, approval=yes("ben")), "begin", "approved by ben"),
    "anybody's yes begins what a tick asked": (BOTH, replace(TICK, approval=yes("kim")), "begin", "approved"),
    "one's own yes is refused": (
        BOTH,
        replace(ASKED, approval=yes("kim")),
        "refused",
        "kim asked for it and",
    ),
    "one's own yes in capitals too": (BOTH, replace(ASKED, approval=yes("KIM")), "refused", "KIM asked for"),
    "and under one's id": (BOTH, replace(ASKED, approval=yes("Kim Doe", "kim")), "refused", "Kim Doe asked"),
    "a yes of somebody who is not named": (NAMED, replace(TICK, approval=yes("eve")), "refused", "may not"),
    "a yes of somebody named, in another case": (
        NAMED,
        replace(TICK, approval=yes("kim")),
        "begin",
        "by kim",
    ),
    "a person named has no yes for their own wish": (
        NAMED,
        replace(ASKED, approval=yes("kim")),
        "refused",
        "kim asked for it and approved it too",
    ),
    "a yes does not open a window": (AT_NIGHT, replace(ASKED, approval=yes("ben")), "refused", "outside its"),
    "nor end a pause": (
        replace(BOTH, pause=True),
        replace(ASKED, approval=yes("ben")),
        "refused",
        "paused by its policy",
    ),
    "a user who is called schedule is no schedule": (
        BOTH,
        replace(TICK, approval=yes("schedule")),
        "refused",
        "asked for it and approved it too",
    ),
    "compromise mode waits for nobody": (BOTH, REVOKED, "begin", "a laptop was lost"),
}


@pytest.mark.parametrize("case", CASES)
def test_whose_yes_begins_what(case: str) -> None:
    """The decision, and its reason in a person's words."""
    policy, request, outcome, said = CASES[case]
    decision = due(policy, None, request, NOW)
    assert ("begin" if decision.begin else decision.outcome) == outcome
    assert said in decision.reason


def test_only_a_missing_yes_is_something_to_ask_for() -> None:
    """What is not due, paused or outside its window is nobody's question."""
    assert due(BOTH, None, ASKED, NOW).needs_approval
    for policy, request in ((AT_NIGHT, ASKED), (replace(BOTH, pause=True), ASKED), (BOTH, REVOKED)):
        assert not due(policy, None, request, NOW).needs_approval
    assert not due(replace(BOTH, max_age=None), None, TICK, NOW).needs_approval


def test_a_refusal_says_where_to_ask() -> None:
    """The command line cannot prove who asks; Airflow can."""
    assert "Trigger the DAG rotate_with_approval" in due(BOTH, None, ASKED, NOW).next_step


@pytest.mark.parametrize(
    ("airflow", "is_told"),
    [("3.1.8", True), ("3.2.2", True), ("3.3.0", False), ("3.10.0", False), ("4.0.0", False), (None, False)],
)
def test_check_tells_where_airflow_cannot_ask(airflow: str | None, is_told: bool) -> None:  # noqa: FBT001 - a table
    """Before the first rotation, with the entries that are held up; no word where nobody is asked."""
    guarded_one = replace(ETL, policy=BOTH)
    told = " ".join(remarks_on_approval([guarded_one, PAIR], airflow))
    assert (
        f"the policy of warehouse-etl wants a second person's yes, and Airflow {airflow}" in told
    ) is is_told
    assert not list(remarks_on_approval([PAIR], airflow))


# --- an attempt ----------------------------------------------------------------------------------------


def guarded(scene: Scene) -> Scene:
    """The same, and its policy wants a yes."""
    policy = replace(scene.credential.policy, approval=ApprovalRule())
    scene.credential = replace(scene.credential, policy=policy)
    return scene


@pytest.mark.parametrize("make", [ETL, PAIR, KEYS], ids=["one role", "a pair", "keys"])
def test_nothing_is_made_without_a_yes(make: object) -> None:
    """No record, nothing applied, CURRENT as it was; the outcome says that a yes is all that is missing."""
    scene = guarded(Scene(pair=make is PAIR, keys=make is KEYS))
    before = scene.current
    outcome = scene.run(Request(scene.world.now, "kim", now=True))
    assert (outcome.outcome, outcome.needs_approval) == ("refused", True)
    assert scene.current == before
    assert not [call for call in scene.world.calls if call.endswith("apply")]


def test_a_yes_begins_exactly_what_it_was_for() -> None:
    """The same request with an approval rotates; a retry of it finds that it was done."""
    scene = guarded(Scene())
    request = Request(scene.world.now, "kim", now=True)
    approved = replace(request, approval=Approval("ben", "ben", scene.world.now))
    rotated = scene.run(approved)
    assert rotated.outcome == "rotated"
    assert ["by ben, 20" in step.detail for step in rotated.steps if step.name == "approved"] == [True]
    assert scene.run(approved).outcome == "unchanged"


def test_repair_never_waits_for_a_yes() -> None:
    """A version that was begun is finished by the next tick, which may not begin one."""
    dry = rotated_scene()
    dry.rotate_now()
    scene = rotated_scene()
    scene.world.fault = Fault(dry.world.calls.index("target: apply") + 1, "crash after")
    with pytest.raises(Crash):
        scene.rotate_now()
    guarded(scene)
    scene.world.pass_time(timedelta(days=100))
    assert scene.tick().outcome == "recovered"
    assert scene.readers_can_log_in


def test_what_was_repaired_is_told_and_a_yes_is_still_wanted() -> None:
    """The first look at a value that a person stored gives it a record; that hides no question."""
    outcome = guarded(Scene()).tick()
    assert (outcome.outcome, outcome.needs_approval) == ("adopted", True)


def test_nobody_is_asked_while_the_old_value_lives_on() -> None:
    """In grace the next version could not begin with a yes either."""
    scene = rotated_scene(pair=True)
    assert scene.credential.policy.grace == GRACE
    scene.rotate_now()
    guarded(scene)
    outcome = scene.run(Request(scene.world.now, "kim", now=True))
    assert (outcome.outcome, outcome.needs_approval) == ("waiting", False)


# --- a plan --------------------------------------------------------------------------------------------


def test_what_waits_for_a_person_holds_up_nobody() -> None:
    """An entry that goes after it is planned, as if it were paused."""
    guarded_one = replace(ETL, name="first", policy=BOTH)
    other = replace(ETL, name="second", after=("first",), policy=replace(BOTH, approval=None))
    nothing = Known((), has_current=True)
    outcomes = ordered([(guarded_one, nothing), (other, nothing)], begin=TICK, now=NOW)
    assert {one.name: one.outcome for one in outcomes} == {"first": "waiting", "second": "planned"}


def test_plan_says_that_it_waits_for_a_person() -> None:
    """`plan` and `status` name what is missing, and who asks for it."""
    outcome = plan(replace(ETL, policy=BOTH), Known((), has_current=True), begin=TICK, now=NOW)
    assert outcome.needs_approval
    assert "its policy wants the approval of a second person" in outcome.reason
    assert "rotate_with_approval asks by itself" in outcome.next_step
