"""What a person reads whose file is wrong as a whole, or whose policies are."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenes.inventory.mistakes import entry, written

FILES = {
    "a tab": ("credentials:\n\t- name: x\n", "2: is not valid YAML: a tab; YAML is indented with spaces"),
    "a bracket that never closes": (
        "credentials: [\n",
        "2: is not valid YAML: did not find expected node content",
    ),
    "a colon within a text": (
        "credentials:\n  - name: a: b\n",
        (
            "2: is not valid YAML: mapping values are not allowed in this context "
            "(a wrong indentation, or a text with ': ' in it that needs quotes)"
        ),
    ),
    "two documents": (
        "credentials: []\n---\ncredentials: []\n",
        "2: is not valid YAML: there is a second document (`---`); keep one document a file",
    ),
    "a list at the top": ("- name: x\n", "1: the file must be a mapping (`key: value`)"),
    "a misspelt top": ("credental: []\n", "1: unknown key 'credental'; did you mean 'credentials'?"),
    "a mapping where the list belongs": ("credentials: {a: b}\n", "1: credentials must be a list"),
    "a text for an entry": ("credentials:\n  - etl\n", "2: credentials must be a mapping (`key: value`)"),
    "a tag": (
        "credentials: !include other.yaml\n",
        "1: tag !include has no meaning here; leave it out",
    ),
    "an alias to itself": (
        "credentials: &a [*a]\n",
        "1: is nested too deeply (an alias that contains itself?)",
    ),
    "aliases that stand for a billion": (
        "".join(
            f"{name}: &{name} [{', '.join([f'*{before}' if before else 'x'] * 9)}]\n"
            for before, name in zip(["", *"abcdefgh"], "abcdefghi", strict=True)
        ),
        "1: its aliases stand for too much; write the entries out",
    ),
}


@pytest.mark.parametrize(("text", "expected"), FILES.values(), ids=FILES.keys())
def test_a_file_that_is_wrong_as_a_whole_is_told_with_its_line(
    tmp_path: Path, text: str, expected: str
) -> None:
    """Mistakes in the writing of YAML name the line, in plain words."""
    assert f"include/credentials/a.yaml:{expected}" in written(tmp_path / "include", text)


POLICIES = {
    "manual is built in": (
        "policies:\n  manual: {max_age: 1d}\n",
        ["2: policy 'manual' is built in (due only when asked); give this one another name"],
    ),
    "grace that outlives max_age": (
        "policies:\n  a: {max_age: 1d, grace: 3d}\n",
        [
            (
                "2: grace 3d is not shorter than max_age 1d: "
                "the old value has to be gone before the next version begins"
            )
        ],
    ),
    "on, which YAML reads as true": (
        "policies:\n  on: {max_age: 1d}\n",
        ["2: key 'on' is not read as text by YAML; put it in quotes"],
    ),
}


@pytest.mark.parametrize(("policies", "expected"), POLICIES.values(), ids=POLICIES.keys())
def test_a_mistake_in_the_policies_is_told_with_its_line(
    tmp_path: Path, policies: str, expected: list[str]
) -> None:
    """policies.yaml is held to the same words as the entries."""
    problems = written(tmp_path / "include", "", policies)
    assert problems == [f"include/policies.yaml:{line}" for line in expected]


def test_an_entry_whose_policy_has_mistakes_says_where_they_are(tmp_path: Path) -> None:
    """An entry is not rotated by guess when its policy cannot be read."""
    problems = written(
        tmp_path / "include", "credentials:\n" + entry(), "policies: {quarterly: {max_age: 90}}\n"
    )
    assert (
        problems[0]
        == "include/credentials/a.yaml:7: etl: policy 'quarterly' cannot be read: see include/policies.yaml"
    )
    assert problems[1].startswith("include/policies.yaml:1: quarterly.max_age is 90, without a unit")
