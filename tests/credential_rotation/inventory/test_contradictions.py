"""What a person reads whose entries contradict each other: both places, and what each of them claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenes.inventory.mistakes import LINES, entry, written

OTHER = {
    "name": "name: other",
    "principal": "principal: other",
    "vault": "vault: {key: o, project: data, format: json}",
}
TWO_ENTRIES = {
    "one name": (
        {},
        {**OTHER, "name": "name: etl"},
        [
            "2: etl: name 'etl' belongs to the entry at include/credentials/a.yaml:9 (etl) too; keep one",
            "9: etl: name 'etl' belongs to the entry at include/credentials/a.yaml:2 (etl) too; keep one",
        ],
    ),
    "one role of one server, in two databases": (
        {},
        {**OTHER, "principal": "principal: etl", "target": "target: {host: DB.internal., dbname: x}"},
        [
            (
                "4: etl: principal 'etl' on db.internal:5432 belongs to the entry at "
                "include/credentials/a.yaml:9 (other) too; keep one"
            ),
            (
                "11: other: principal 'etl' on db.internal:5432 belongs to the entry at "
                "include/credentials/a.yaml:2 (etl) too; keep one"
            ),
        ],
    ),
    "one role, once through an endpoint": (
        {"target": "target: {host: db.internal}\n    endpoints: [{host: pooler}]"},
        {**OTHER, "principal": "principal: etl", "target": "target: {host: pooler}"},
        [
            (
                "6: etl: principal 'etl' on pooler:5432 is rotated by the entry at "
                "include/credentials/a.yaml:10 (other); keep one"
            ),
            (
                "12: other: principal 'etl' on pooler:5432 is an endpoint of the entry at "
                "include/credentials/a.yaml:2 (etl); keep one"
            ),
        ],
    ),
    "one secret by key": (
        {},
        {**OTHER, "vault": LINES["vault"]},
        [
            (
                "6: etl: secret 'etl' in project 'data' belongs to the entry at "
                "include/credentials/a.yaml:9 (other) too; keep one"
            ),
            (
                "13: other: secret 'etl' in project 'data' belongs to the entry at "
                "include/credentials/a.yaml:2 (etl) too; keep one"
            ),
        ],
    ),
    "two entries that administer each other": (
        {"owner": "owner: x\n    admin: other"},
        {**OTHER, "owner": "owner: x\n    admin: etl"},
        [
            "9: etl: etl → other → etl: administers itself in the end",
            "17: other: etl → other → etl: administers itself in the end",
        ],
    ),
    "two entries that wait for each other": (
        {"owner": "owner: x\n    after: other"},
        {**OTHER, "owner": "owner: x\n    after: etl"},
        [
            "9: etl: etl → other → etl: none of them could ever go first",
            "17: other: etl → other → etl: none of them could ever go first",
        ],
    ),
    "an entry that goes after its own admin": (
        {"owner": "owner: x\n    admin: other\n    after: other"},
        OTHER,
        [
            "10: etl: etl → other → etl: none of them could ever go first",
        ],
    ),
    "an admin with a mistake": (
        {"owner": "owner: x\n    admin: other"},
        {**OTHER, "owner": "ownr: x"},
        [
            "9: etl: admin 'other' has mistakes: see include/credentials/a.yaml:10",
            "16: other: unknown key 'ownr'; did you mean 'owner'?",
        ],
    ),
}


@pytest.mark.parametrize(("first", "second", "expected"), TWO_ENTRIES.values(), ids=TWO_ENTRIES.keys())
def test_two_entries_that_contradict_each_other_are_both_told(
    tmp_path: Path, first: dict[str, str], second: dict[str, str], expected: list[str]
) -> None:
    """Whoever claims what another claims, or waits in a circle, is named with the place of the other."""
    text = "credentials:\n" + entry(**first) + entry(**second)
    assert written(tmp_path / "include", text) == [f"include/credentials/a.yaml:{line}" for line in expected]
