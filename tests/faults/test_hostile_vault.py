"""Whatever people put into Bitwarden: every command ends with an answer, and nobody is locked out by it."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg import sql

from scenes.hostile import HOSTILE, texts
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

_numbers = count(1)
CANARY = "canary-0815"
COMMANDS = (("check",), ("status",), ("verify",), ("retire",), ("adopt",), ("rotate",), ("rollback",))
NEEDS_A_REASON = {"rollback"}
NAMES = st.sampled_from(
    [
        "username",
        "login",
        "password",
        "host",
        "port",
        "schema",
        "epoch",
        "principal",
        "written",
        "extra",
        "attempt",
    ]
)
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [f"{CANARY}\ud800", f"{CANARY}\0", "", 1, -1, 10**30, True, None, [], {}, 1.5]
)
VALUES = st.recursive(
    ODD | texts(control=True, most=4).map(lambda text: f"{CANARY} {text}"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=4,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6).map(json.dumps)
ANYTHING = texts(control=True) | OBJECTS | st.sampled_from(["[" * 20_000, "1" * 5_000, "{}", "null", "x"])
NOTES = texts(control=True) | OBJECTS.map(lambda block: f"Ask Kim.\n\n```bitwarden-vault\n{block}\n```")
RECORDS = st.sampled_from(
    [
        "000001/20260101T000000Z/ab12",
        "999999999/29991231T235959Z/ab12",
        "000001/99991231T235959Z/ab12",
        "000000/20260101T000000Z/ab12/intent",
        "000001/20260101T000000Z/ab12/ending",
    ]
)


@HOSTILE
@given(value=ANYTHING, note=NOTES, record=ANYTHING, key=RECORDS)
@example(value=f'{{"password": "{CANARY}\\ud800"}}', note="", record="{}", key="000001/20260101T000000Z/ab12")
def test_whatever_is_stored_every_command_ends_with_an_answer(
    site: Site, value: str, note: str, record: str, key: str
) -> None:
    """CURRENT, its note and a record that mean nothing: no traceback, no word of them, nothing changed."""
    projects, name, secret = site.projects, "reporting", f"reporting/{next(_numbers)}"
    site.write_entries(site.entries().replace("reporting/db", secret))
    site.bitwarden.put_secret(project=projects["data"], key=secret, value=value, note=note)
    made = site.bitwarden.put_secret(project=projects["journal"], key=f"rotation/{name}/{key}", value=record)
    before = site.roles()
    try:
        for command in COMMANDS:
            reason = ("--reason", "to see") if command[0] in NEEDS_A_REASON else ()
            ran = site.run(*command, name, *reason, "--json")
            [outcome] = ran.json["credentials"]
            assert outcome["outcome"] not in {"rotated", "recovered", "adopted", "retired"}
            assert outcome["reason"]
            assert all(line.isprintable() for line in ran.err.splitlines())
            assert CANARY not in ran.out + ran.err
        assert site.roles() == before
        assert site.logs_in(name, site.first[name])
    finally:
        site.bitwarden.trash(made)


@HOSTILE
@given(
    more=st.dictionaries(NAMES, VALUES, max_size=4),
    note=NOTES,
    fields=st.dictionaries(NAMES, VALUES),
    key=RECORDS,
)
@example(more={}, note="", fields={}, key="000001/20260101T000000Z/ab12")
@example(
    more={}, note="", fields={"written": "9999-12-31T23:59:59-23:59"}, key="000001/20260101T000000Z/ab12"
)
def test_around_a_value_that_works_nothing_strange_locks_anybody_out(
    site: Site, more: dict[str, Any], note: str, fields: dict[str, Any], key: str
) -> None:
    """Odd members, an odd note, a record that is nearly one: whatever each command does, CURRENT logs in."""
    projects, name, secret = site.projects, "reporting", f"reporting/{next(_numbers)}"
    site.postgres.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(
            sql.Identifier(site.role(name)), sql.Literal(site.first[name])
        )
    )
    site.write_entries(site.entries().replace("reporting/db", secret))
    value = {**more, "username": site.role(name), "password": site.first[name]}
    value.pop("host", None)
    site.bitwarden.put_secret(project=projects["data"], key=secret, value=json.dumps(value), note=note)
    record = {"schema": 1, "principal": site.role(name), "password": CANARY, "host": "localhost", **fields}
    key = f"rotation/{name}/{key}"
    site.bitwarden.put_secret(project=projects["journal"], key=key, value=json.dumps(record))
    try:
        for command in COMMANDS:
            reason = ("--reason", "to see") if command[0] in NEEDS_A_REASON else ()
            ran = site.run(*command, name, *reason, "--json")
            [outcome] = ran.json["credentials"]
            assert outcome["reason"]
            assert all(line.isprintable() for line in ran.err.splitlines())
            assert CANARY not in ran.out + ran.err
            assert site.logs_in(name, site.password(secret)), command
    finally:
        for one in site.secrets():
            if one.key.startswith(f"rotation/{name}/") and not one.deleted:
                site.bitwarden.trash(one.id)


def test_a_number_after_which_there_is_none_begins_nothing(site: Site) -> None:
    """A copy of a record with the highest number: what could not be read again is not written."""
    assert site.run("rotate", "reporting").code == 0
    last = 999_999_999
    [record] = [one for one in site.secrets() if one.key in site.records("reporting")]
    key = record.key.replace("/000001/", f"/{last}/")
    site.bitwarden.put_secret(project=site.projects["journal"], key=key, value=record.value)
    for _ in range(2):
        before = site.roles()
        ran = site.run("rotate", "reporting", "--force", "--reason", "audit", "--json")
        assert ran.words == {"reporting": "refused"}
        assert f"there is no version after {last}" in ran.told("reporting")
        assert site.roles() == before
        assert key in site.records("reporting")
        assert len(site.records("reporting")) <= 2
    assert site.logs_in("reporting", site.password("reporting/db"))


@pytest.mark.parametrize("engine_side", ["etl", "admin"])
def test_rubbish_as_an_admins_value_changes_nobody(site: Site, engine_side: str) -> None:
    """The admin's own entry and those it administers say which secret to mend."""
    site.bitwarden.edit_secret(site.current("rotation/admin").id, value='{"password": ["x"]}')
    before = site.roles()
    ran = site.run("rotate", engine_side, "--json")
    assert ran.code == 1
    assert "rotation/admin" in ran.told(engine_side)
    assert site.roles() == before
