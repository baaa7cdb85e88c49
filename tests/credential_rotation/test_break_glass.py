"""What docs/break-glass.md has a person copy into CURRENT: what then logs in, in each form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timezone
from urllib.parse import quote

import pytest

from bitwarden_vault.formats import Login, Server, first_value
from bitwarden_vault.nouns import VaultSecret
from credential_rotation.journal.entries import current_from
from credential_rotation.journal.records import value_of
from credential_rotation.model import Credential, Secret
from sandbox.places import ROOT
from simulators.scene import ETL, GRACE, KEYS, PAIR, Scene, rotated_scene

PAGE = ROOT / "docs" / "break-glass.md"
ROWS = re.findall(
    r"^\| `((?!format)[a-z-]+)` \| (.*?) \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
)
SERVER = Server("postgres", "db.example", 5432, "warehouse", {})
BEFORE = Login("etl", "old/@:value")
NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)


def read_as_the_page_says(record: str) -> tuple[str, str]:
    """User name and password of a record, out of its JSON."""
    fields = json.loads(record)
    return fields["login"] or fields["principal"], fields["password"]


def written_as_the_page_says(form: str, user: str, password: str) -> str:
    """CURRENT, which held `BEFORE`, after a person has followed the table's row."""
    [(first, second)] = [(a.strip("`"), b.strip("`")) for name, a, b in ROWS if name == form]
    value = first_value(form, BEFORE, SERVER)
    if form == "password":
        return password
    if form == "airflow-uri":
        scheme, _, rest = value.partition("://")
        return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest.rpartition('@')[2]}"
    return json.dumps({**json.loads(value), first: user, second: password})


def stored(value: str) -> VaultSecret:
    return VaultSecret("id", "warehouse_etl", value, "", None, NOW, NOW)


CASES: dict[str, tuple[Credential, Secret, tuple[str, ...]]] = {
    "one role": (
        ETL,
        Secret("etl", 'n"e\\w/@:'),
        ("airflow-connection", "airflow-uri", "json", "password"),
    ),
    "the other role of a pair": (
        PAIR,
        Secret("etl_b", 'n"e\\w/@:'),
        ("airflow-connection", "airflow-uri", "json"),
    ),
    "another key": (
        KEYS,
        Secret("etl", "n/e+w", "AKIANEW"),
        ("airflow-connection", "airflow-uri", "json", "aws-credentials"),
    ),
}


@pytest.mark.parametrize(("case", "form"), [(case, form) for case in CASES for form in CASES[case][2]])
def test_what_is_copied_by_the_table_is_the_records_own_login(case: str, form: str) -> None:
    """So that the next run finds CURRENT to hold a recorded value."""
    credential, secret, _ = CASES[case]
    credential = replace(credential, vault=replace(credential.vault, format=form))
    record = value_of(secret, epoch=7, written=NOW, attempt="a", host=credential.target.host)
    value = written_as_the_page_says(form, *read_as_the_page_says(record))
    assert current_from(credential, stored(value)).secret == secret


@pytest.mark.parametrize("kind", ["pair", "keys"])
def test_a_password_alone_is_another_ones_and_does_not_log_in(kind: str) -> None:
    """The newest record of a pair in grace, or of keys, is not for whom CURRENT was before."""
    scene = rotated_scene(pair=kind == "pair", keys=kind == "keys")
    before = scene.current
    assert scene.rotate_now().outcome in {"rotated", "waiting"}
    newest = max(scene.vault.records.values(), key=lambda one: one.order).secret
    assert before is not None
    assert (before.principal, before.login) != (newest.principal, newest.login)
    scene.vault.put_current(replace(before, password=newest.password))
    assert not scene.readers_can_log_in
    assert scene.run().outcome in {"recovered", "unproved"}
    assert scene.current == newest
    scene.vault.put_current(before)
    scene.vault.put_current(newest)
    assert scene.readers_can_log_in
    assert scene.run().outcome in {"unchanged", "waiting"}
    scene.world.pass_time(GRACE * 2)
    scene.run()
    assert scene.current == newest


def test_the_page_has_a_row_for_each_form() -> None:
    """And a scene to try it in."""
    assert {name for name, _, _ in ROWS} == {form for _, _, forms in CASES.values() for form in forms}
    assert Scene().readers_can_log_in
