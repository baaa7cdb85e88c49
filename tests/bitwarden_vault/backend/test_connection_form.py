"""Every form of a value becomes a connection that Airflow itself can read."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitwarden_vault.backend.connection_form import NoConnection, connection_text
from bitwarden_vault.formats import Login, Server, first_value
from bitwarden_vault.note import NoteBlock, write_note

if TYPE_CHECKING:
    from airflow.sdk import Connection

ConnectionClass: TypeAlias = "type[Connection]"
SERVER = Server("postgres", "db.internal", 5433, "warehouse", {"sslmode": "verify-full"})


@pytest.fixture(scope="module")
def connection_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionClass]:
    """Airflow's own; importing Airflow is slow, so only here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        from airflow.sdk import Connection  # noqa: PLC0415 - after AIRFLOW_HOME is set

        yield Connection


def _note(**fields: str) -> str:
    return write_note("Ask Kim.", NoteBlock(fields))


def _made(connection_class: ConnectionClass, value: str, note: str = "") -> "Connection":
    text = connection_text(value, note)
    if text.startswith("{"):
        return connection_class.from_json(text, conn_id="c")
    return connection_class.from_uri(text, conn_id="c")


TELLS_ALL = {"conn_type": "postgres", "host": "db.internal", "port": "5433", "schema": "warehouse"}
"""What the rotation writes into the note where the value has no room for it."""


@pytest.mark.parametrize(
    "password", ["plain", "p:w/d@h?x=%&", "'\"\\{}", "пароль €", " spaces ", "{", "a://b c"]
)
@pytest.mark.parametrize("form", ["airflow-connection", "airflow-uri", "json", "password"])
def test_what_the_rotation_writes_logs_in(
    connection_class: ConnectionClass, form: str, password: str
) -> None:
    """B1: each format of the inventory, with passwords that would break a careless reader."""
    value = first_value(form, Login("etl", password), SERVER)
    note = _note(**TELLS_ALL, login="etl", format=form)
    found = _made(connection_class, value, note)
    assert (found.conn_type, found.login, found.password) == ("postgres", "etl", password)
    assert (found.host, found.port, found.schema) == ("db.internal", 5433, "warehouse")


def test_keys_of_aws_need_no_word_more(connection_class: ConnectionClass) -> None:
    """The rest of such a value is the connection's extra."""
    value = json.dumps(
        {"aws_access_key_id": "AKIA1", "aws_secret_access_key": "s/e+c", "region_name": "eu-central-1"}
    )
    found = _made(connection_class, value)
    assert (found.conn_type, found.login, found.password) == ("aws", "AKIA1", "s/e+c")
    assert found.extra_dejson == {"region_name": "eu-central-1"}


def test_names_that_others_use_are_understood(connection_class: ConnectionClass) -> None:
    """As in the secrets that AWS makes for databases; what is no field of a connection becomes extra."""
    value = json.dumps(
        {"user": "etl", "password": "p", "database": "w", "host": "h", "port": "5432", "sslmode": "require"}
    )
    found = _made(connection_class, value, _note(conn_type="postgres"))
    assert (found.login, found.schema, found.port) == ("etl", "w", 5432)
    assert found.extra_dejson == {"sslmode": "require"}


def test_port_and_extra_of_a_note_may_be_what_they_are(connection_class: ConnectionClass) -> None:
    """The whole block was passed over for one number."""
    note = '```bitwarden-vault\n{"conn_type": "postgres", "port": 5433, "extra": {"sslmode": "require"}}\n```'
    found = _made(connection_class, "pw", note)
    assert (found.conn_type, found.password, found.port) == ("postgres", "pw", 5433)
    assert found.extra_dejson == {"sslmode": "require"}


def test_a_block_that_cannot_be_read_is_told_where_the_kind_is_missing() -> None:
    """It may say the kind, so that "add it there" would send people in circles."""
    note = '```bitwarden-vault\n{"conn_type": "postgres", "login": 5}\n```'
    with pytest.raises(NoConnection, match="block of its note cannot be read") as caught:
        connection_text("geheim", note)
    assert "geheim" not in str(caught.value)


NO_URI = {
    "postgresql+psycopg://etl:geheim@h:5432/d": "no '+' in a connection's type",
    "my_type://etl:geheim@h": "'-' for '_' in a URI's type",
    "postgres://etl:geheim@h:5432/d?application_name=my app": "a blank is %20",
    "postgres://etl:gehe im@h:5432/d": "a blank is %20",
}


@pytest.mark.parametrize(("value", "why"), NO_URI.items())
@pytest.mark.parametrize("note", ["", _note(conn_type="postgres", login="etl")])
def test_a_uri_that_is_none_is_told_and_not_taken_for_a_password(value: str, why: str, note: str) -> None:
    """The server would see it, and the log of its failed logins."""
    with pytest.raises(NoConnection, match="it begins like a URI") as caught:
        connection_text(value, note)
    assert why in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("password", ["a://b c", "p+q://", "x.y://z", "a b://c@d", "://@", "é://c@d"])
def test_a_password_may_look_a_little_like_one(connection_class: ConnectionClass, password: str) -> None:
    """What looks like one altogether has to be told in JSON."""
    note = _note(conn_type="postgres")
    assert _made(connection_class, password, note).password == password
    value = json.dumps({"password": "postgres://etl:x y@h"})
    assert _made(connection_class, value, note).password == "postgres://etl:x y@h"


def test_the_value_wins_over_the_note(connection_class: ConnectionClass) -> None:
    """The value is what is rotated."""
    value = json.dumps({"username": "etl_b", "password": "p", "host": "new"})
    found = _made(connection_class, value, _note(conn_type="postgres", login="etl_a", host="old", schema="w"))
    assert (found.login, found.host, found.schema) == ("etl_b", "new", "w")


def test_an_extra_in_the_note_is_a_json_object(connection_class: ConnectionClass) -> None:
    """Notes hold texts; anything else is said, and not passed on."""
    found = _made(connection_class, "pw", _note(conn_type="postgres", extra='{"sslmode": "require"}'))
    assert found.extra_dejson == {"sslmode": "require"}
    with pytest.raises(NoConnection, match="extra"):
        connection_text("pw", _note(conn_type="postgres", extra="sslmode=require"))


def test_a_connection_of_airflow_stays_to_the_byte() -> None:
    """Its JSON and its URI are Airflow's business."""
    whole = '{ "conn_type":"postgres" , "port" : "1", "login": null, "extra": "{}", "description": ""}'
    for text in (whole, '{"conn_type": "x", "port": 0}', "postgres://etl:p%40@h:1/w?a=b", "aws://"):
        assert connection_text(text, _note(conn_type="mysql", host="elsewhere")) == text


BROKEN = {
    "a comma is missing": ('{"login": "etl"\n "password": "geheim"}', "in line 2, column 2"),
    "it was cut": ('{"login": "etl", "password": "geh', "in line 1, column 30"),
    "blanks stand before it": (' \n{"password": geheim}', "in line 1, column 14"),
    "something follows it": ('{"password": "geheim"} {}', "in line 1, column 24"),
    "an escape is none": ('{"password": "\\geheim"}', "in line 1, column 15"),
    "it is nested too deeply": ('{"password": ' + "[" * 100_000, "nested too deeply"),
    "a number is too long": ('{"port": ' + "9" * 5_000 + "}", "is no JSON object"),
}


@pytest.mark.parametrize(("value", "why"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("form", [None, "airflow-connection", "json", "aws-credentials", "passwort"])
def test_json_that_is_broken_is_told_and_not_taken_for_a_password(
    value: str, why: str, form: str | None
) -> None:
    """The server would see all of it, and call the password wrong; where it breaks helps to mend it."""
    declared = {"format": form} if form else {}
    for note in (_note(conn_type="postgres", login="etl", **declared), _note(epoch="3", **declared)):
        with pytest.raises(NoConnection, match=r"is no JSON object|nested too deeply") as caught:
            connection_text(value, note)
        assert why in str(caught.value)
        assert "geh" not in str(caught.value)
    with pytest.raises(NoConnection, match='write "format": "password" into'):
        connection_text('{"', "")


def test_a_password_may_begin_like_json_where_the_note_says_what_it_is(
    connection_class: ConnectionClass,
) -> None:
    """A block that cannot be read says nothing, and then that is what to mend."""
    note = _note(conn_type="postgres", login="etl", format="password")
    for password in ("{", "{k}", " {blank", '{"a"', "{}}"):
        assert _made(connection_class, password, note).password == password
    with pytest.raises(NoConnection, match="block of its note cannot be read"):
        connection_text("{", note.replace('"etl"', "etl"))


def test_json_that_is_whole_is_read_whatever_the_note_says(connection_class: ConnectionClass) -> None:
    """An entry's format may be another one since a person wrote that note: never its text as a password."""
    value = json.dumps({"username": "etl", "password": "p"})
    found = _made(connection_class, value, _note(conn_type="postgres", format="password"))
    assert (found.login, found.password) == ("etl", "p")


@pytest.mark.parametrize("value", ["geheim", " ", '{"username": "etl", "password": "geheim"}'])
def test_without_a_kind_it_says_what_to_add_and_shows_nothing(value: str) -> None:
    """Airflow cannot guess which hook to use."""
    with pytest.raises(NoConnection, match="conn_type") as caught:
        connection_text(value, "a note")
    assert "geheim" not in str(caught.value)


def test_json_of_any_depth_is_a_connection_or_a_complaint() -> None:
    """Python 3.13 reads some that it cannot write; Airflow would say that the connection is not defined."""
    for depth in (*range(900, 1_000), *range(9_850, 10_010)):
        with suppress(NoConnection):
            assert connection_text(f'{{"conn_type": "x", "y": {{"a": {"[" * depth}{"]" * depth}}}}}', "")


@given(value=st.text(min_size=1), note=st.text())
def test_any_text_is_a_connection_or_a_complaint(value: str, note: str) -> None:
    """Whatever people put into a secret."""
    with suppress(NoConnection):
        assert connection_text(value, note)
