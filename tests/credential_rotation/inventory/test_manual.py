"""Entries of engine manual: what arrives, where it is kept apart, and what is told with file and line."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.inventory.inventory import load_entry, load_inventory
from credential_rotation.inventory.kept import by_hand, names_by_engine
from credential_rotation.model import Strategy
from sandbox.places import ROOT
from scenes.inventory.mistakes import LINES, entry, written

BY_HAND = {
    "name": "name: signing-key",
    "engine": "engine: manual",
    "principal": "",
    "target": "instructions: https://wiki.example.com/signing-key",
    "vault": "vault: {key: signing/key, project: data}",
    "policy": "policy: {max_age: 365d}",
}
FOR_TOOLS = "is for what a tool can change; leave it out"


def load(tmp_path: Path, *entries: dict[str, str]) -> list[str]:
    """The problems of an inventory of these entries, from their line on."""
    text = "credentials:\n" + "".join(entry(**one) for one in entries)
    found = written(tmp_path / "include", text)
    return [problem.removeprefix("include/credentials/a.yaml:") for problem in found]


def test_h1_what_no_tool_can_change_is_kept_apart_from_what_is_rotated(
    tmp_path: Path,
) -> None:
    """What rotates, retires or verifies goes by `credentials`, and never meets it."""
    assert load(tmp_path, {**BY_HAND, "vault": ""}, LINES) == []
    inventory = load_inventory(tmp_path / "include")
    assert [one.name for one in inventory.credentials] == ["etl"]
    [one] = inventory.manual
    assert (one.engine, one.strategy, one.principals) == ("manual", Strategy.BY_HAND, ())
    assert one.options["instructions"] == "https://wiki.example.com/signing-key"
    assert one.policy.max_age == timedelta(days=365)
    assert [each.name for each in inventory.all] == ["etl", "signing-key"]
    assert names_by_engine(tmp_path / "include") == {"postgres": ["etl"]}
    assert by_hand(tmp_path / "include") == {"signing-key": []}


def test_h1_a_task_that_is_given_its_name_refuses_it_and_says_what_to_do(tmp_path: Path) -> None:
    """Triggered through the API with any name at all."""
    assert load(tmp_path, BY_HAND) == []
    with pytest.raises(BadInput, match="no tool can change it") as refused:
        load_entry(tmp_path / "include", "signing-key")
    assert "close signing-key --reason" in refused.value.next_step


WRONG = {
    "without instructions": ({"target": ""}, ["2: signing-key: 'instructions' is missing"]),
    "a policy that reminds nobody": (
        {"policy": "policy: manual"},
        [("6: signing-key: says no max_age and no cron: nobody would ever be reminded of it; give it one")],
    ),
    "what only tools understand": (
        {"owner": "owner: x\n    principal: a\n    target: {host: db}\n    admin: b\n    strategy: in_place"},
        [
            f"8: signing-key: principal: {FOR_TOOLS}",
            f"9: signing-key: target: {FOR_TOOLS}",
            f"10: signing-key: admin: {FOR_TOOLS}",
            "10: signing-key: unknown entry 'b' in admin; there is no such entry",
            f"11: signing-key: strategy: {FOR_TOOLS}",
        ],
    ),
    "grace, where no old value is kept": (
        {"policy": "policy: {max_age: 30d, grace: 1d}"},
        [f"6: signing-key: policy.grace: {FOR_TOOLS}"],
    ),
    "a format, where nothing is written": (
        {"vault": "vault: {key: a, project: data, format: json}"},
        ["5: signing-key: vault.format: is for what we write; nothing is written for engine manual"],
    ),
    "consumers, whom nobody asks": (
        {"owner": "owner: x\n    consumers: [{dag: load}]"},
        ["8: signing-key: consumers: is for what a tool can change; say it in instructions"],
    ),
    "an unknown key": (
        {"owner": "owner: x\n    instruction: y"},
        ["8: signing-key: unknown key 'instruction'; did you mean 'instructions'?"],
    ),
    "a secret value": (
        {"owner": "owner: x\n    password: y"},
        ["8: signing-key: unknown key 'password': secret values live in Bitwarden, never in a file"],
    ),
}


@pytest.mark.parametrize(("changed", "expected"), WRONG.values(), ids=WRONG.keys())
def test_h1_what_means_nothing_there_is_told_with_file_and_line(
    tmp_path: Path, changed: dict[str, str], expected: list[str]
) -> None:
    """Each with its remedy, and nothing else is said."""
    assert load(tmp_path, {**BY_HAND, **changed}) == expected


def test_h1_instructions_are_for_what_no_tool_can_change(tmp_path: Path) -> None:
    """An entry that is rotated has none."""
    told = load(tmp_path, {**LINES, "owner": "owner: x\n    instructions: y"})
    assert told == ["9: etl: instructions: is for engine manual; leave it out"]


def test_h3_two_who_take_values_by_hand_have_two_names(tmp_path: Path) -> None:
    """A person's word about one of them would count for the other."""
    twice = (
        "owner: x\n    consumers:\n      - {manual: Looker, owner: bi}\n      - {manual: Looker, owner: ops}"
    )
    told = load(tmp_path, {**LINES, "owner": twice})
    assert told == ["11: etl: another consumer is called 'Looker'; rename one"]


def test_the_examples_of_the_documentation_are_good(tmp_path: Path) -> None:
    """Copied as they stand."""
    text = (ROOT / "docs" / "by-hand.md").read_text(encoding="utf-8")
    [whole, part] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    consumer = entry(**{**LINES, "name": "name: warehouse-etl"}) + part
    assert written(tmp_path / "include", whole + consumer) == []


def test_h1_no_run_waits_for_a_person(tmp_path: Path) -> None:
    """`after` an entry that only people change would wait for ever."""
    [text] = load(tmp_path, BY_HAND, {**LINES, "owner": "owner: x\n    after: signing-key"})
    assert "'signing-key' is changed by a person (engine manual), and no run waits for people" in text


def test_h1_a_secret_belongs_to_one_entry_whoever_changes_it(tmp_path: Path) -> None:
    """A rotated entry and one that people change would overwrite each other."""
    told = load(tmp_path, {**BY_HAND, "vault": "vault: {key: etl, project: data}"}, LINES)
    assert len(told) == 2
    assert all("belongs to the entry at" in text for text in told)
