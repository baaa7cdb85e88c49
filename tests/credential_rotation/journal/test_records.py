"""A record's text: its key tells what a list needs to know, its value what a person needs on a bad day."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rotation.journal.records import (
    ENDING,
    INTENT,
    UnreadableRecord,
    intent_value,
    key_of,
    read_intent,
    read_key,
    read_value,
    read_written,
    value_of,
)
from credential_rotation.model import Secret

WRITTEN = datetime(2026, 11, 25, 12, 30, 15, tzinfo=timezone.utc)
CANARY = "canary-0815"
texts = st.text(min_size=1)


# --- the key -------------------------------------------------------------------------------------------


def test_a_key_is_what_the_design_says() -> None:
    """Others build on it: one list tells what is due, open and replaced."""
    key = key_of("warehouse-etl", epoch=7, written=WRITTEN, attempt="c0ffee")
    assert key == "rotation/warehouse-etl/000007/20261125T123015Z/c0ffee"


def test_a_key_is_in_utc_wherever_it_was_written() -> None:
    """Summer time makes no version older."""
    there = WRITTEN.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert key_of("etl", epoch=1, written=there, attempt="a") == key_of(
        "etl", epoch=1, written=WRITTEN, attempt="a"
    )


@given(
    st.from_regex(r"[a-z0-9._-]{1,60}", fullmatch=True),
    st.integers(0, 10**8),
    st.datetimes(datetime(2000, 1, 1), datetime(2999, 12, 31), timezones=st.just(timezone.utc)),  # noqa: DTZ001 - hypothesis wants them naive
    st.from_regex(r"[0-9a-f]{1,12}", fullmatch=True),
)
def test_a_key_is_read_as_it_was_written(name: str, epoch: int, written: datetime, attempt: str) -> None:
    """To the second."""
    read = read_key("id-1", key_of(name, epoch=epoch, written=written, attempt=attempt))
    assert read is not None
    assert (read.id, read.name, read.epoch, read.attempt) == ("id-1", name, epoch, attempt)
    assert read.written == written.replace(microsecond=0)


def test_keys_of_one_credential_sort_as_its_versions_do() -> None:
    """In the web vault too, which sorts by text."""
    epochs = (1, 2, 9, 10, 99, 100, 99_999, 100_000)
    keys = [key_of("etl", epoch=epoch, written=WRITTEN, attempt="a") for epoch in epochs]
    assert sorted(keys) == keys
    read = [read_key("id", key) for key in keys]
    assert sorted(read, key=lambda one: one.order if one else (0, WRITTEN, "")) == read


@pytest.mark.parametrize(
    "key",
    [
        "",
        "warehouse_etl",
        "rotation/check",
        "rotation/etl",
        "rotation/etl/000001",
        "rotation/etl/000001/20261125T123015Z",
        "rotation/etl/000001/20261125T123015Z/",
        "rotation/etl/1/20261125T123015Z/a1",
        "rotation/etl/00001x/20261125T123015Z/a1",
        "rotation/etl/000001/20261125T123015/a1",
        "rotation/etl/000001/20261325T123015Z/a1",
        "rotation/etl/000001/20261125T250000Z/a1",
        "rotation/etl/000001/30000101T000000Z/a1",
        "rotation/etl/\u0660\u0660\u0660\u0660\u0660\u0661/20261125T123015Z/a1",
        "rotation/etl/000001/00010101T000000Z/a1",
        "rotation/etl/" + "9" * 5_000 + "/20261125T123015Z/a1",
        "rotation/etl/000001/20261125T123015Z/xyz",
        "rotation/etl/000001/20261125T123015Z/a1/other",
        "rotation/etl/000001/20261125T123015Z/a1 ",
        "rotation/etl/000001/20261125T123015Z/a1\n",
        " rotation/etl/000001/20261125T123015Z/a1",
        "Rotation/etl/000001/20261125T123015Z/a1",
        "rotation//000001/20261125T123015Z/a1",
        "rotation/a/b/000001/20261125T123015Z/a1",
        "claim/etl/a1",
    ],
)
def test_what_is_no_records_key_names_none(key: str) -> None:
    """Another secret of the journal's project is left alone."""
    assert read_key("id", key) is None


# --- the value -----------------------------------------------------------------------------------------


def test_a_version_is_as_old_as_its_value_says_to_the_fraction_of_a_second() -> None:
    """Asked for and minted in one second: a retry that compared seconds would mint another one."""
    written = WRITTEN.replace(microsecond=900_000)
    key = read_key("id", key_of("etl", epoch=7, written=written, attempt="a"))
    assert key is not None
    value = value_of(Secret("etl", "x"), epoch=7, written=written, attempt="a", host="db")
    assert read_written(value, key=key) == written
    for other in ("{}", "[]", '{"written": 7}', '{"written": "noon"}', '{"written": "2001-01-01T00:00:00"}'):
        assert read_written(other, key=key) == key.written


@given(texts, texts, st.text(), texts)
def test_a_value_is_read_as_it_was_written(principal: str, password: str, login: str, host: str) -> None:
    """Every character."""
    secret = Secret(principal, password, login)
    assert read_value(value_of(secret, epoch=7, written=WRITTEN, attempt="c0ffee", host=host)) == (
        secret,
        host,
    )


def test_a_person_can_read_a_value_in_the_web_vault() -> None:
    """Named fields, on the day when nothing else runs."""
    fields = json.loads(value_of(Secret("etl", "x"), epoch=7, written=WRITTEN, attempt="c0ffee", host="db"))
    assert fields == {
        "schema": 1,
        "epoch": 7,
        "written": "2026-11-25T12:30:15+00:00",
        "attempt": "c0ffee",
        "principal": "etl",
        "login": "",
        "password": "x",
        "host": "db",
    }


def test_fields_of_a_later_version_do_not_harm() -> None:
    """What is known is read."""
    fields = {"schema": 1, "principal": "etl", "password": "x", "host": "db", "region": "eu-1"}
    assert read_value(json.dumps(fields)) == (Secret("etl", "x"), "db")


WHOLE = {"schema": 1, "principal": "etl", "password": CANARY, "host": "db"}
WRONG = {
    "nothing": "",
    "a bare password": CANARY,
    "no object": json.dumps([CANARY]),
    "cut": json.dumps(WHOLE)[:-1],
    "too deep": '{"x": ' + "[" * 100_000,
    "a number too long": '{"schema": ' + "1" * 5_000 + f', "password": "{CANARY}"}}',
    "no schema": json.dumps({**WHOLE, "schema": None}),
    "a later schema": json.dumps({**WHOLE, "schema": 2}),
    "no principal": json.dumps({**WHOLE, "principal": ""}),
    "no password": json.dumps({**WHOLE, "password": ""}),
    "a password that is no text": json.dumps({**WHOLE, "password": [CANARY]}),
    "no host": json.dumps({"schema": 1, "principal": "etl", "password": CANARY}),
    "a login that is no text": json.dumps({**WHOLE, "login": [CANARY]}),
    "half a character in the password": json.dumps({**WHOLE, "password": f"{CANARY}\ud800"}),
    "half a character in the login": json.dumps({**WHOLE, "login": "\udfff"}),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_records_value_is_refused_without_a_word_of_it(what: str) -> None:
    """Nothing is guessed, and the message may be shown to anybody."""
    with pytest.raises(UnreadableRecord) as refusal:
        read_value(WRONG[what])
    assert str(refusal.value)
    assert CANARY not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize("kind", [INTENT, ENDING])
def test_what_goes_with_a_version_is_told_from_its_record(kind: str) -> None:
    """An intent and the note of an ending carry the version's number and attempt, and are no record."""
    found = read_key("id", key_of("etl", epoch=7, written=WRITTEN, attempt="ab12", kind=kind))
    assert found is not None
    assert (found.epoch, found.attempt, found.written, found.kind) == (7, "ab12", WRITTEN, kind)


def test_an_intent_says_which_keys_were_there() -> None:
    """What was there before is never taken for ours; a text that does not say so is refused."""
    assert read_intent(intent_value(("KEY1", "KEY2"), WRITTEN)) == ("KEY1", "KEY2")
    odd = ('{"there": ' + "[" * 100_000, '{"there": ' + "1" * 5_000 + "}")
    for wrong in ("", "[]", "{}", '{"there": "KEY1"}', '{"there": [1]}', *odd):
        with pytest.raises(UnreadableRecord):
            read_intent(wrong)
