"""What policies.yaml says, and which policies are refused because they could never hold."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from credential_rotation.cron import cron_mistake, next_fire
from credential_rotation.inventory import Inventory, load_inventory
from credential_rotation.inventory_promises import impossible
from credential_rotation.model import ApprovalRule, CatchUp, Limits, Policy, Window
from scenes.inventory_mistakes import entry, written

SCHEMAS = Path(__file__).parents[2] / "include" / "schema"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = '{from: "22:00", to: "05:00", timezone: Europe/Berlin}'


def loaded(tmp_path: Path, policies: str, **changed: str) -> Inventory:
    include = tmp_path / "include"
    (include / "credentials").mkdir(parents=True)
    (include / "policies.yaml").write_text(policies)
    (include / "credentials" / "a.yaml").write_text("credentials:\n" + entry(**changed))
    return load_inventory(include)


def policy(tmp_path: Path, text: str) -> Policy:
    """The policy of an entry that says it itself."""
    inventory = loaded(tmp_path, "", policy=f"policy: {text}")
    assert inventory.problems == ()
    return inventory.credentials[0].policy


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


def refusals_of_editors(policy: str) -> list[str]:
    """What a plain reader of JSON Schema says to an entry with this policy."""
    found = {
        name: json.loads((SCHEMAS / f"{name}.schema.json").read_text())
        for name in ("credentials", "policies")
    }
    resource = Resource.from_contents(found["policies"])
    registry = Registry().with_resource("policies.schema.json", resource)
    value = yaml.safe_load("credentials:\n" + entry(policy=f"policy: {policy}"))
    validator = Draft202012Validator(found["credentials"], registry=registry)
    return [error.message for error in validator.iter_errors(value)]


@pytest.mark.parametrize("text", ["manual", *(text for text, _ in READ.values()), *HOLDS.values()])
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
