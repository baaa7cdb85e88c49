"""The journal over Bitwarden's real protocol, beyond the contract: whose it is, what does not fit."""

from __future__ import annotations

import itertools
import json
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from credential_rotation.errors import NotOurs, RotationError, VaultTrouble
from credential_rotation.journal.journal import Journal
from credential_rotation.journal.records import key_of, value_of
from credential_rotation.model import Current, Secret, VaultPlace
from scenes.site.deployment import Site
from scenes.site.ground import ACCOUNT, Ground
from scenes.vault.sides import BitwardenSide
from simulators.scene import ETL, HOST

pytest_plugins = ["scenes.site.fixtures"]

_numbers = itertools.count(10_000)
NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
CANARY = "canary-0815"
OLD, NEW = Secret("etl", f"old-{CANARY}"), Secret("etl", f"new-{CANARY}")
JSON = replace(ETL, vault=replace(ETL.vault, format="json"))
KEY = key_of(ETL.name, epoch=1, written=NOW, attempt="ab12")


@pytest.fixture
def side(ground: Ground) -> Iterator[BitwardenSide]:
    yield BitwardenSide(ground, next(_numbers))
    ground.bitwarden.clear_faults()


@pytest.fixture
def as_json(side: BitwardenSide) -> Journal:
    """The same place, with CURRENT in a form that tells user and host."""
    return side.journal_of(JSON)


def current_of(journal: Journal) -> Current:
    found = journal.look().current
    assert found is not None
    return found


def refusal(call: Callable[[], object], kind: type[RotationError] = NotOurs) -> str:
    """What a person is told; no value is part of it, nor of its traceback."""
    with pytest.raises(kind) as error:
        call()
    assert error.value.next_step
    told = f"{error.value.what} {error.value.next_step}"
    assert CANARY not in told + "".join(traceback.format_exception(error.value))
    return told


# --- several that could be CURRENT ---------------------------------------------------------------------


def doubled(side: BitwardenSide) -> tuple[str, str]:
    """A create of CURRENT that was made twice because its answer was lost: the older one's id first."""
    record = side.write_down(1, NEW.password)
    ids = [side.vault.promote(None, record, attempt="beef", now=NOW) for _ in range(2)]
    return ids[0], ids[1]


def test_of_two_with_one_value_the_older_stays(side: BitwardenSide) -> None:
    """The same choice for whoever looks; the other one is named a duplicate, and can be deleted."""
    older, younger = doubled(side)
    stored = side.vault.look()
    assert stored.current is not None
    assert (stored.current.id, [one.id for one in stored.duplicates]) == (older, [younger])
    side.vault.delete((younger,))
    assert side.vault.look() == replace(stored, duplicates=())


def test_of_two_with_different_values_neither_is_taken(side: BitwardenSide) -> None:
    """Which of them consumers read is anybody's guess: both ids are told, and how to choose."""
    older, younger = doubled(side)
    side.ground.bitwarden.edit_secret(younger, value="another")
    told = refusal(side.vault.look)
    assert older in told
    assert younger in told
    assert "vault: {id:" in told


def test_a_second_one_that_we_never_wrote_is_a_persons(side: BitwardenSide) -> None:
    """Even with the same value it is not ours to delete."""
    side.put_current(OLD)
    theirs = side.put("warehouse_etl", OLD.password)
    assert theirs in refusal(side.vault.look)


def test_current_may_be_named_by_id(side: BitwardenSide) -> None:
    """Where two have one name; key and project stay as they are when it is written."""
    side.put_current(OLD)
    wanted = side.put("warehouse_etl", OLD.password, "Ask Kim.")
    place = VaultPlace(project="data-platform", format="password", key=None, id=wanted)
    journal = side.journal_of(replace(ETL, vault=place))
    assert current_of(journal).id == wanted
    record = side.write_down(1, NEW.password)
    assert journal.promote(current_of(journal), record, attempt="beef", now=NOW) == wanted
    written = next(one for one in side.ground.bitwarden.secrets(side.data) if one.id == wanted)
    assert (written.key, written.project, written.value) == ("warehouse_etl", side.data, NEW.password)


@pytest.mark.parametrize("where", ["nowhere", "in the trash", "in another project"])
def test_an_id_that_is_not_there_is_said(side: BitwardenSide, where: str) -> None:
    """Nothing is made up in its place."""
    wanted = "00000000-0000-4000-8000-000000000000"
    if where == "in the trash":
        wanted = side.put("warehouse_etl", OLD.password)
        side.ground.bitwarden.trash(wanted)
    elif where == "in another project":
        wanted = side.put_record("elsewhere", OLD.password)
    place = VaultPlace(project="data-platform", format="password", key=None, id=wanted)
    told = refusal(side.journal_of(replace(ETL, vault=place)).look, VaultTrouble)
    assert wanted in told
    assert "data-platform" in told


def test_the_same_key_elsewhere_is_another_secret(side: BitwardenSide) -> None:
    """D4: key and project together name CURRENT."""
    side.put_record("warehouse_etl", OLD.password)
    assert side.vault.look().current is None


# --- whose it is ---------------------------------------------------------------------------------------


def value(**changed: object) -> str:
    return json.dumps({"username": "etl", "password": OLD.password, "host": HOST} | changed)


def test_user_and_host_of_the_entry_are_ours(side: BitwardenSide, as_json: Journal) -> None:
    """The case of a host's name and a final dot make no difference."""
    for host in (HOST, HOST.upper(), f"{HOST}."):
        secret = side.put("warehouse_etl", value(host=host))
        assert current_of(as_json).secret == OLD
        side.ground.bitwarden.trash(secret)


def test_a_current_that_tells_neither_is_taken_at_its_word(side: BitwardenSide, as_json: Journal) -> None:
    """It can only be for the entry's principal."""
    side.put("warehouse_etl", json.dumps({"password": OLD.password}))
    assert current_of(as_json).secret == OLD


FOREIGN = {
    "another user": (value(username="kim"), "etl"),
    "another host": (value(host="db.elsewhere"), HOST),
    "another form": (f"postgres://etl:{CANARY}@{HOST}", "json"),
    "no password": (value(password=""), "json"),
    "a member twice": (f'{{"password": "{CANARY}", "password": "{CANARY}"}}', "json"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_current_that_is_not_ours_or_not_clear_is_refused(
    side: BitwardenSide, as_json: Journal, what: str
) -> None:
    """Told without its value: what is wrong, and where to mend it."""
    stored, expected = FOREIGN[what]
    secret = side.put("warehouse_etl", stored)
    for call in (as_json.look, lambda: as_json.read_back(secret)):
        told = refusal(call)
        assert ETL.name in told
        assert expected in told


def test_what_others_keep_in_the_value_survives(side: BitwardenSide, as_json: Journal) -> None:
    """Members, blanks and numbers of CURRENT's own form."""
    text = '{ "username": "etl",\n "password":"%s", "retries": 1.0, "url": "x\\/y" }'
    side.put("warehouse_etl", text % OLD.password, "Ask Kim.")
    as_json.promote(current_of(as_json), side.write_down(1, NEW.password), attempt="beef", now=NOW)
    assert side.stored().value == text % NEW.password
    assert side.stored().note.startswith("Ask Kim.\n")


# --- records -------------------------------------------------------------------------------------------


EDITED = {
    "not a record's text": CANARY,
    "cut": value_of(OLD, epoch=1, written=NOW, attempt="ab12", host=HOST)[:-2],
    "a later schema": json.dumps({"schema": 2, "password": CANARY}),
    "another principal's": value_of(Secret("kim", CANARY), epoch=1, written=NOW, attempt="ab12", host=HOST),
    "for another host": value_of(OLD, epoch=1, written=NOW, attempt="ab12", host="db.elsewhere"),
}


@pytest.mark.parametrize("what", EDITED)
def test_a_record_that_was_edited_or_moved_stops_the_attempt(side: BitwardenSide, what: str) -> None:
    """It is named, so that a person can look at it; nothing is left out in silence."""
    side.put_current(OLD)
    side.put_record(KEY, EDITED[what])
    assert KEY in refusal(side.vault.look)


def test_records_of_others_are_not_looked_at(side: BitwardenSide) -> None:
    """Another entry's, other secrets of the journal's project, and a record in CURRENT's project."""
    own = side.write_down(1, NEW.password)
    side.put_record(key_of("another-entry", epoch=9, written=NOW, attempt="ab"), "not a record's text")
    side.put_record(f"{KEY}/other", "not a record's text")
    side.put_record("rotation/check", "not a record's text")
    side.put(KEY, "not a record's text")
    assert side.vault.look().records == (own,)


def test_a_record_lies_in_the_journal_and_nowhere_else(side: BitwardenSide) -> None:
    """Consumers' machine accounts cannot read that project."""
    record = side.write_down(1, NEW.password)
    [stored] = side.records()
    assert (stored.id, stored.project, stored.note) == (record.id, side.journal, "")
    assert stored.key == key_of(ETL.name, epoch=1, written=record.written, attempt="ab12")
    assert side.ground.bitwarden.secrets(side.data) == []


# --- permissions and limits ----------------------------------------------------------------------------


@pytest.mark.parametrize("right", ["read", None])
def test_a_current_that_may_not_be_written_says_what_to_grant(side: BitwardenSide, right: str | None) -> None:
    """Bitwarden answers 404 to both; the message names the credential and the permission."""
    side.put_current(OLD)
    before, record = current_of_side(side), side.write_down(1, NEW.password)
    side.ground.bitwarden.grant(ACCOUNT, side.data, "read" if right else None)
    told = refusal(lambda: side.vault.promote(before, record, attempt="b", now=NOW), VaultTrouble)
    assert ETL.name in told
    assert "Can read, write" in told
    assert side.stored().value == OLD.password


def current_of_side(side: BitwardenSide) -> Current:
    found = side.vault.look().current
    assert found is not None
    return found


def test_a_journal_that_may_not_be_written_says_what_to_grant(side: BitwardenSide) -> None:
    """Before anything else is done: the record comes first."""
    side.ground.bitwarden.grant(ACCOUNT, side.journal, "read")
    told = refusal(lambda: side.write_down(1, NEW.password), VaultTrouble)
    assert "Can read, write" in told
    assert side.records() == []


@pytest.mark.parametrize(("character", "most"), [("x", 24_750), ("é", 12_900)])
def test_a_value_that_would_not_fit_is_found_out_beforehand(
    side: BitwardenSide, as_json: Journal, character: str, most: int
) -> None:
    """By characters, and by the bytes that its ciphertext holds; as long as it fits, it goes through."""
    fits, too_long = character * most, character * (most + 100)
    side.put("warehouse_etl", json.dumps({"password": OLD.password, "x": too_long}, ensure_ascii=False))
    told = refusal(lambda: as_json.reserve(current_of(as_json)), VaultTrouble)
    assert "`warehouse_etl`" in told
    side.trash_current()
    side.put("warehouse_etl", json.dumps({"password": OLD.password, "x": fits}, ensure_ascii=False))
    as_json.reserve(current_of(as_json))
    longest = Secret("etl", "y" * 128)
    record = as_json.record(epoch=1, attempt="ab12", written=NOW, secret=longest)
    as_json.promote(current_of(as_json), record, attempt="beef", now=NOW)
    assert current_of(as_json).secret == longest


@pytest.mark.parametrize("note", ["x" * 6_950, "é" * 3_690], ids=["by characters", "by bytes"])
def test_a_note_without_room_is_found_out_before_the_target_is_touched(site: Site, note: str) -> None:
    """Nothing is committed there, no new version is minted, and the remedy is told."""
    current = site.current("reporting/db")
    site.bitwarden.edit_secret(current.id, note=note)
    before, heard = (site.current("reporting/db"), site.roles()), len(site.postgres.log())
    ran = site.run("rotate", "reporting", "--json")
    assert ran.words == {"reporting": "failed"}
    assert "Shorten the note" in ran.told("reporting")
    said = [line for line in site.postgres.log()[heard:].splitlines() if site.role("reporting") in line]
    assert any("ROLLBACK" in line for line in said), "privileges were tried out"
    assert not any("statement: COMMIT" in line for line in said)
    assert (site.current("reporting/db"), site.roles()) == before
    assert [key.split("/")[2] for key in site.records("reporting")] == ["000000"], "the old value's own"
    site.bitwarden.edit_secret(current.id, note="Ask Kim.")
    time.sleep(1.1)
    ran = site.run("rotate", "reporting", "--json", ROTATION_SETTLE="1s")
    assert ran.words == {"reporting": "rotated"}
