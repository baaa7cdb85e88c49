"""What a person reads who made a mistake in an entry: file, line, entry, what is wrong, what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenes.inventory.mistakes import entry, written

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
        [
            (
                "3: etl: unknown engine 'postgress'; did you mean 'postgres'? "
                "(this version has postgres, aws_iam, manual)"
            )
        ],
    ),
    "an engine of a later version": (
        {"engine": "engine: gcp_key", "target": "target: {project: exports}"},
        ["3: etl: unknown engine 'gcp_key'; this version has postgres, aws_iam, manual"],
    ),
    "a strategy of a later version": (
        {"owner": "owner: x\n    strategy: overlapping"},
        [
            (
                "9: etl: strategy 'overlapping' is not in this version for this engine; "
                "this version has in_place, alternating"
            )
        ],
    ),
    "an unknown strategy": (
        {"owner": "owner: x\n    strategy: in-place"},
        [
            (
                "9: etl: unknown strategy 'in-place'; did you mean 'in_place'? "
                "(this version has in_place, alternating)"
            )
        ],
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
        [
            (
                "4: etl: strategy in_place changes one principal, and 2 are named; "
                "two take turns with strategy: alternating"
            )
        ],
    ),
    "a pair that cannot take turns": (
        {
            "owner": "owner: x\n    strategy: alternating",
            "vault": "vault: {key: etl, project: data, format: password}",
        },
        [
            "4: etl: strategy alternating has two principals, and the entry names 1",
            (
                "6: etl: a bare password does not say whose it is; alternating needs a format "
                "with the user name"
            ),
            "9: etl: strategy alternating needs an admin: neither changes the other",
        ],
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
                "7: etl: grace 1d is not shorter than max_age 1d: "
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
