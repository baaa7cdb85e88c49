"""What policies.yaml says, how mistakes of form are told, and what editors make of both."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credential_rotation.inventory.promises import impossible
from credential_rotation.model import ApprovalRule, CatchUp, Limits, Policy, Window
from credential_rotation.times.cron import cron_mistake, next_fire
from scenes.inventory.mistakes import entry, written
from scenes.inventory.policy_texts import DAY, HOUR, NIGHT, SCHEMAS, loaded, policy, refusals_of_editors

READ = {
    "nothing: only when asked": ("{}", Policy("of etl")),
    "grace alone: only when asked": ("{grace: 1d}", Policy("of etl", grace=DAY)),
    "max age": ("{max_age: 90d}", Policy("of etl", max_age=90 * DAY)),
    "cron, in UTC": ('{cron: "0 3 1 * *"}', Policy("of etl", cron="0 3 1 * *")),
    "cron, by another clock": (
        '{cron: "0 3 1 * *", timezone: Europe/Berlin}',
        Policy("of etl", cron="0 3 1 * *", timezone="Europe/Berlin"),
    ),
    "window": (
        f"{{max_age: 90d, window: {NIGHT}}}",
        Policy("of etl", max_age=90 * DAY, window=Window(22 * HOUR, 5 * HOUR, timezone="Europe/Berlin")),
    ),
    "window on some days, by the policy's clock": (
        '{timezone: Europe/Berlin, window: {from: "00:00", to: "24:00", days: [sat, sun]}}',
        Policy(
            "of etl",
            timezone="Europe/Berlin",
            window=Window(0 * HOUR, 24 * HOUR, frozenset({5, 6}), "Europe/Berlin"),
        ),
    ),
    "somebody else has to say yes": (
        "{max_age: 90d, approval: required}",
        Policy("of etl", max_age=90 * DAY, approval=ApprovalRule(8 * HOUR, (), DAY)),
    ),
    "one of two people has to say yes, within an hour": (
        "{max_age: 90d, approval: {within: 1h, by: [ben, kim], again: 2d}}",
        Policy("of etl", max_age=90 * DAY, approval=ApprovalRule(HOUR, ("ben", "kim"), 2 * DAY)),
    ),
    "soak and catch-up": (
        f"{{max_age: 90d, window: {NIGHT}, soak: 2d, catch_up: at_once}}",
        Policy(
            "of etl",
            max_age=90 * DAY,
            window=Window(22 * HOUR, 5 * HOUR, timezone="Europe/Berlin"),
            soak=2 * DAY,
            catch_up=CatchUp.AT_ONCE,
        ),
    ),
}


@pytest.mark.parametrize("case", READ)
def test_what_is_written_arrives(tmp_path: Path, case: str) -> None:
    """Each key, with what it is when it is left out."""
    text, expected = READ[case]
    assert policy(tmp_path, text) == expected


def test_each_entry_has_its_own_share_of_the_jitter(tmp_path: Path) -> None:
    """By its name: the same policy, and the same share in each process."""
    found = policy(tmp_path, "{max_age: 90d, jitter: 1d}")
    assert found.jitter == DAY
    assert found.share == timedelta(seconds=33454)
    other = loaded(tmp_path / "other", "", policy="policy: {max_age: 90d, jitter: 1d}", name="name: other")
    assert other.credentials[0].policy.share != found.share


LIMITS = {
    "left out: the usual brake": ("policies: {}\n", Limits(20, 3)),
    "one of them": ("limits: {per_tick: 5}\n", Limits(5, 3)),
    "both": ("limits: {per_tick: 50, stop_after_failures: 1}\n", Limits(50, 1)),
    "empty": ("limits:\n", Limits(20, 3)),
}


@pytest.mark.parametrize("case", LIMITS)
def test_limits(tmp_path: Path, case: str) -> None:
    """They stand at the top of policies.yaml, and hold for every run."""
    text, expected = LIMITS[case]
    inventory = loaded(tmp_path, text, policy="policy: manual")
    assert (inventory.limits, inventory.problems) == (expected, ())


WRONG_LIMITS = {
    "none at all": ("limits: {per_tick: 0}\n", "1: per_tick must be 1 or more"),
    "more than Airflow maps": ("limits: {per_tick: 2000}\n", "1: per_tick must be 1000 or less"),
    "a duration": ("limits:\n  per_tick: 1h\n", "2: per_tick must be a whole number"),
    "misspelt": ("limits: {per_tik: 2}\n", "1: unknown key 'per_tik'; did you mean 'per_tick'?"),
    "within the policies": (
        "policies:\n  a: {max_age: 1d, per_tick: 2}\n",
        (
            "2: unknown key 'per_tick' in a; known: approval, catch_up, cron, grace, jitter, max_age, pause, "
            "soak, timezone, window"
        ),
    ),
}


@pytest.mark.parametrize("case", WRONG_LIMITS)
def test_a_limit_that_cannot_be_read_leaves_the_usual_brake(tmp_path: Path, case: str) -> None:
    """It is told with its line, and the good entries rotate under the usual limits meanwhile."""
    text, expected = WRONG_LIMITS[case]
    inventory = loaded(tmp_path, text, policy="policy: manual")
    assert [str(problem) for problem in inventory.problems] == [f"include/policies.yaml:{expected}"]
    assert inventory.limits == Limits(20, 3)
    assert [one.name for one in inventory.credentials] == ["etl"]


FORM = {
    "an hour without quotes, which YAML reads as a number": (
        "{window: {from: 22:00, to: 05:00}}",
        'policy.window.from is 22:00, which YAML reads as a number; put it in quotes: "22:00"',
    ),
    "an hour that is none": (
        '{window: {from: "25:00", to: "05:00"}}',
        'policy.window.from: a time is two digits, a colon and two digits, in quotes: "22:00"',
    ),
    "24:00 as the beginning": (
        '{window: {from: "24:00", to: "05:00"}}',
        'policy.window.from: a time is two digits, a colon and two digits, in quotes: "22:00"',
    ),
    "half a window": ('{window: {from: "22:00"}}', "'to' is missing in policy.window"),
    "no days": (
        '{window: {from: "22:00", to: "05:00", days: []}}',
        "policy.window.days is empty; fill it in or leave the key out",
    ),
    "a day that is none": (
        '{window: {from: "22:00", to: "05:00", days: [Sun]}}',
        (
            "unknown policy.window.days 'Sun'; did you mean 'sun'? "
            "(this version has mon, tue, wed, thu, fri, sat, sun)"
        ),
    ),
    "a day twice": (
        '{window: {from: "22:00", to: "05:00", days: [sun, sun]}}',
        "policy.window.days names something twice",
    ),
    "a catch-up that is none": (
        "{catch_up: later}",
        "unknown policy.catch_up 'later'; this version has next_window, at_once",
    ),
    "an approval by another word": (
        "{approval: requierd}",
        "policy.approval: approval is `required`, or a mapping of within, by and again",
    ),
    "an approval that is a switch": (
        "{approval: true}",
        'policy.approval is true, which YAML reads as true; put it in quotes: "true"',
    ),
    "an unknown word in an approval": (
        "{approval: {withing: 8h}}",
        "unknown key 'withing' in policy.approval; did you mean 'within'?",
    ),
    "an approval by nobody": (
        "{approval: {by: []}}",
        "policy.approval.by is empty; fill it in or leave the key out",
    ),
    "an approval within no time": (
        "{approval: {within: soon}}",
        "policy.approval.within: a duration is a whole number above zero and a unit: 1w, 90d, 12h or 15m",
    ),
}


@pytest.mark.parametrize("case", FORM)
def test_a_policy_in_another_form_is_told_in_a_persons_words(tmp_path: Path, case: str) -> None:
    """One message with file, line, entry and remedy, and nothing else."""
    text, expected = FORM[case]
    problems = written(tmp_path / "include", "credentials:\n" + entry(policy=f"policy: {text}"))
    assert problems == [f"include/credentials/a.yaml:7: etl: {expected}"]


def test_the_examples_of_docs_and_file_are_good(tmp_path: Path) -> None:
    """What people copy has no problems, the commented policy of the shipped file included."""
    root = SCHEMAS.parents[1]
    shown = (root / "docs" / "policies.md").read_text().split("```yaml\n")[1].split("```")[0]
    shipped = (root / "include" / "policies.yaml").read_text().replace("  # ", "  ")
    for text, name in ((shown, "nights"), (shipped, "nightly-window")):
        inventory = loaded(tmp_path / name, text, policy=f"policy: {name}")
        assert inventory.problems == ()
        assert inventory.credentials[0].policy.window is not None
        assert inventory.limits == Limits(20, 3)


@pytest.mark.parametrize("text", ["manual", *(text for text, _ in READ.values())])
def test_editors_take_what_the_code_takes(text: str) -> None:
    """The shipped schemas refuse nothing that is good, a policy's name included."""
    assert refusals_of_editors(text) == []


@pytest.mark.parametrize("case", [case for case in FORM if "quotes" not in case])
def test_editors_refuse_what_the_code_refuses_by_its_form(case: str) -> None:
    """Whoever writes it in an editor sees it there."""
    assert refusals_of_editors(FORM[case][0])


ODD = st.text(alphabet="0123456789*,/-#?LWRHlmonfrijan@ \t%x", max_size=25)


@settings(max_examples=500)
@given(cron=ODD | st.lists(ODD.map(str.split).map("".join), min_size=5, max_size=5).map(" ".join))
def test_no_cron_makes_it_raise(cron: str) -> None:
    """What means nothing is a mistake, and what means something has a next time."""
    policy = Policy("any", cron=cron)
    if cron_mistake(cron) is None:
        fire = next_fire(cron, "Europe/Berlin", datetime(2026, 3, 28, 22, tzinfo=timezone.utc))
        assert fire.year < 2100
        assert not any(message.startswith("cron") for message in impossible(policy))
    else:
        assert impossible(policy)


@given(
    place=st.text(max_size=20) | st.sampled_from(["Europe", "/etc", "..", "posix", "UTC/", "\0", "a" * 5000])
)
def test_no_timezone_makes_it_raise(place: str) -> None:
    """Neither folders of the zone data, nor paths, nor anything else."""
    policy = Policy("any", cron="0 3 1 * *", timezone=place)
    assert all("timezone" in message for message in impossible(policy))
