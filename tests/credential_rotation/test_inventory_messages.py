"""What a person reads who made a mistake: file, line, entry, what is wrong, what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from credential_rotation.inventory import load_inventory

LINES = {
    "name": "name: etl",
    "engine": "engine: postgres",
    "principal": "principal: etl",
    "target": "target: {host: db.internal}",
    "vault": "vault: {key: etl, project: data, format: json}",
    "policy": "policy: quarterly",
    "owner": "owner: data-platform",
}
ORDER = list(LINES)
"""The entry's keys stand in lines 2 to 8."""


def entry(**changed: str) -> str:
    lines = [text for text in {**LINES, **changed}.values() if text]
    return "".join(f"  {'-' if place == 0 else ' '} {text}\n" for place, text in enumerate(lines))


def written(include: Path, text: str, policies: str = "policies: {quarterly: {max_age: 90d}}\n") -> list[str]:
    (include / "credentials").mkdir(parents=True)
    (include / "policies.yaml").write_text(policies)
    (include / "credentials" / "a.yaml").write_text(text)
    return [str(problem) for problem in load_inventory(include).problems]


ONE_ENTRY = {
    "a misspelt key is not also a missing one": (
        {"policy": "polcy: quarterly"},
        ["7: etl: unknown key 'polcy'; did you mean 'policy'?"],
    ),
    "a misspelt key below the target": (
        {"target": "target: {host: db.internal, prt: 5432}"},
        ["5: etl: unknown key 'prt' in target; did you mean 'port'?"],
    ),
    "a key like nothing that is known": (
        {"target": "target: {host: db.internal, zzz: 1}"},
        [
            (
                "5: etl: unknown key 'zzz' in target; "
                "known: connect_timeout, dbname, host, port, sslmode, sslrootcert"
            )
        ],
    ),
    "a secret in the file": (
        {"owner": "owner: data-platform\n    password: hunter2"},
        ["9: etl: unknown key 'password': secret values live in Bitwarden, never in a file"],
    ),
    "a secret in the host is not quoted back": (
        {"target": "target: {host: 'postgres://etl:hunter2@db/x'}"},
        [
            (
                "5: etl: target.host: a host is one bare name or address; "
                "port, user and database have places of their own"
            )
        ],
    ),
    "a port within the host": (
        {"target": "target: {host: 'db.internal:5432'}"},
        [
            (
                "5: etl: target.host: a host is one bare name or address; "
                "port, user and database have places of their own"
            )
        ],
    ),
    "a missing key": ({"owner": ""}, ["2: etl: 'owner' is missing"]),
    "a missing key below the vault": (
        {"vault": "vault: {key: etl, format: json}"},
        ["6: etl: 'project' is missing in vault"],
    ),
    "a vault without key and id": (
        {"vault": "vault: {project: data, format: json}"},
        ["6: etl: vault: needs 'key' (the secret's name) or 'id' (its UUID, which wins)"],
    ),
    "an empty value": ({"owner": "owner:"}, ["8: etl: owner is empty; fill it in or leave the key out"]),
    "a port as text": (
        {"target": "target: {host: db.internal, port: '5432'}"},
        ["5: etl: target.port must be a number; write 5432 without quotes"],
    ),
    "a port that is none": (
        {"target": "target: {host: db.internal, port: 70000}"},
        ["5: etl: target.port must be 65535 or less"],
    ),
    "no, which YAML reads as false": (
        {"owner": "owner: no"},
        ['8: etl: owner is no, which YAML reads as false; put it in quotes: "no"'],
    ),
    "a name that is a number": (
        {"name": "name: 123"},
        ['2: name is 123, which YAML reads as a number; put it in quotes: "123"'],
    ),
    "a name in base 60": (
        {"principal": "principal: 12:30:45"},
        ['4: etl: principal is 12:30:45, which YAML reads as a number; put it in quotes: "12:30:45"'],
    ),
    "a name that is a date": (
        {"principal": "principal: 2026-01-01"},
        ['4: etl: principal is 2026-01-01, which YAML reads as a date; put it in quotes: "2026-01-01"'],
    ),
    "true for a text in quotes": (
        {"policy": "policy: {max_age: 90d, pause: 'yes'}"},
        ["7: etl: policy.pause must be true or false, without quotes"],
    ),
    "a list where a mapping belongs": (
        {"target": "target: [db.internal]"},
        ["5: etl: target must be a mapping (`key: value`)"],
    ),
    "a name that cannot be part of a record's key": (
        {"name": "name: team/etl"},
        [
            (
                "2: team/etl: name: a name has letters, digits, '.', '_' and '-', "
                "begins with a letter or digit, and is at most 100 long"
            )
        ],
    ),
    "a text over two lines": (
        {"owner": "owner: |\n      data\n      platform"},
        ["8: etl: holds a line break or an invisible character; write it on one line"],
    ),
    "an unknown engine says nothing else about its target": (
        {"engine": "engine: postgress", "target": "target: {region: eu-central-1}"},
        ["3: etl: unknown engine 'postgress'; did you mean 'postgres'? (this version has postgres)"],
    ),
    "an engine of a later version": (
        {"engine": "engine: aws_iam", "target": "target: {region: eu-central-1}"},
        ["3: etl: unknown engine 'aws_iam'; this version has postgres"],
    ),
    "a strategy of a later version": (
        {"owner": "owner: x\n    strategy: alternating"},
        ["9: etl: strategy 'alternating' is not in this version for this engine; this version has in_place"],
    ),
    "an unknown strategy": (
        {"owner": "owner: x\n    strategy: in-place"},
        ["9: etl: unknown strategy 'in-place'; did you mean 'in_place'? (this version has in_place)"],
    ),
    "a format of another engine": (
        {"vault": "vault: {key: etl, project: data, format: aws-credentials}"},
        [
            (
                "6: etl: unknown vault.format 'aws-credentials'; "
                "this version has airflow-connection, airflow-uri, password, json"
            )
        ],
    ),
    "two principals in place": (
        {"principal": "principal: [etl_a, etl_b]"},
        ["4: etl: strategy in_place changes one principal, and 2 are named"],
    ),
    "a role of the server's own": (
        {"principal": "principal: pg_monitor"},
        [
            (
                "4: etl: principal: a role's name is 1 to 63 long, not 'public' or 'none', "
                "and does not begin with 'pg_'"
            )
        ],
    ),
    "no TLS to another host": (
        {"target": "target: {host: db.internal, sslmode: disable}"},
        [
            (
                "5: etl: sslmode disable sends everything in the clear, and target is another host; "
                "write verify-full (or verify-ca, or require)"
            )
        ],
    ),
    "no TLS is not inherited by an endpoint elsewhere": (
        {"target": "target: {host: 127.0.0.1, sslmode: disable}\n    endpoints:\n      - host: replica"},
        [
            (
                "7: etl: sslmode disable sends everything in the clear, and endpoints is another host; "
                "write verify-full (or verify-ca, or require)"
            )
        ],
    ),
    "TLS that may fall back": (
        {"target": "target: {host: localhost, sslmode: prefer}"},
        [
            (
                "5: etl: target.sslmode prefer may fall back to plain text; "
                "write one of verify-full, verify-ca, require, disable"
            )
        ],
    ),
    "a certificate path that depends on the working folder": (
        {"target": "target: {host: db.internal, sslrootcert: ca.pem}"},
        ["5: etl: target.sslrootcert: an absolute path (tasks run in changing folders) or 'system'"],
    ),
    "an unknown policy near a known one": (
        {"policy": "policy: quartely"},
        ["7: etl: unknown policy 'quartely'; did you mean 'quarterly'?"],
    ),
    "an unknown policy like none": (
        {"policy": "policy: zzz"},
        ["7: etl: unknown policy 'zzz'; include/policies.yaml has: manual, quarterly"],
    ),
    "a duration without a unit": (
        {"policy": "policy: {max_age: 90}"},
        [
            (
                "7: etl: policy.max_age is 90, without a unit; "
                "a duration is a whole number above zero and a unit: 1w, 90d, 12h or 15m"
            )
        ],
    ),
    "a duration of nothing": (
        {"policy": "policy: {max_age: 0d}"},
        ["7: etl: policy.max_age: a duration is a whole number above zero and a unit: 1w, 90d, 12h or 15m"],
    ),
    "a negative duration": (
        {"policy": "policy: {max_age: -1d}"},
        ["7: etl: policy.max_age: a duration is a whole number above zero and a unit: 1w, 90d, 12h or 15m"],
    ),
    "grace that outlives max_age": (
        {"policy": "policy: {max_age: 1d, grace: 24h}"},
        [
            (
                "7: etl: grace 24h must be shorter than max_age 1d: "
                "the old value has to be gone before the next version begins"
            )
        ],
    ),
    "an admin that is the entry itself": (
        {"owner": "owner: x\n    admin: etl"},
        ["9: etl: admin names the entry itself; leave admin out, and the principal changes itself"],
    ),
    "an admin that is no entry": (
        {"owner": "owner: x\n    admin: root"},
        ["9: etl: unknown entry 'root' in admin; there is no such entry"],
    ),
    "an admin in another form": (
        {"owner": "owner: x\n    admin: {connection: root}"},
        ["9: etl: unknown key 'connection' in admin; did you mean 'airflow_connection'?"],
    ),
    "a predecessor that is no entry": (
        {"owner": "owner: x\n    after: [tle]"},
        ["9: etl: unknown entry 'tle' in after; did you mean 'etl'?"],
    ),
    "a consumer that is two things": (
        {"owner": "owner: x\n    consumers:\n      - {dag: a, manual: b}"},
        [
            (
                "10: etl: consumers: a consumer is exactly one of airflow_connection, dag, manual, s3_bucket "
                "(and may have an owner)"
            )
        ],
    ),
    "a key that is there twice": (
        {"owner": "owner: x\n    policy: manual"},
        ["9: etl: key 'policy' is there twice; keep one of them"],
    ),
    "all mistakes of one entry at once": (
        {"policy": "policy: zzz", "owner": "ownr: x", "target": "target: {host: db, port: no}"},
        [
            "5: etl: target.port must be a whole number",
            "7: etl: unknown policy 'zzz'; include/policies.yaml has: manual, quarterly",
            "8: etl: unknown key 'ownr'; did you mean 'owner'?",
        ],
    ),
}


@pytest.mark.parametrize(("changed", "expected"), ONE_ENTRY.values(), ids=ONE_ENTRY.keys())
def test_a_mistake_in_an_entry_is_told_in_a_persons_words(
    tmp_path: Path, changed: dict[str, str], expected: list[str]
) -> None:
    """Each mistake is one message with file, line, entry and remedy, and nothing else is said."""
    problems = written(tmp_path / "include", "credentials:\n" + entry(**changed))
    assert problems == [f"include/credentials/a.yaml:{line}" for line in expected]


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
    "a policy without max_age": ("policies:\n  a: {grace: 1d}\n", ["2: 'max_age' is missing in a"]),
    "grace that outlives max_age": (
        "policies:\n  a: {max_age: 1d, grace: 3d}\n",
        [
            (
                "2: grace 3d must be shorter than max_age 1d: "
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
