"""Logins as values in four forms: what is written is read, what is foreign stays, the rest is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bitwarden_vault.formats import FORMS, Login, Server, Unreadable, first_value, read_login, write_login

CANARY = "canary-0815"
SERVER = Server("postgres", "db.internal", 6432, "ware house", {"sslmode": "verify-full"})
texts = st.text(min_size=1)
HOSTLESS = {"password", "aws-credentials"}
every_form = pytest.mark.parametrize("form", FORMS)
printable = "".join(map(chr, range(0x20, 0x7F)))
hardest = Login("ro:le@/?#%", f"{printable}äß€😀")


# --- reading what was written --------------------------------------------------------------------------


@every_form
@given(username=texts, password=texts)
@example(username=hardest.username, password=hardest.password)
@example(username="etl", password="%41")
@example(username="etl", password="a+b")
def test_a_login_is_read_as_it_was_written(form: str, username: str, password: str) -> None:
    """B1: every character, in a first value and in one that is written over."""
    login = Login(username, password)
    first = first_value(form, login, SERVER)
    again = write_login(form, first_value(form, Login("before", "before"), SERVER), login)
    assert first == again
    read = read_login(form, first)
    assert (read.username, read.password) == (None if form == "password" else username, password)


@every_form
def test_the_host_is_told_where_the_form_has_one(form: str) -> None:
    """A value for another server must be recognised."""
    value = first_value(form, Login("etl", "x"), SERVER)
    assert read_login(form, value).host == (None if form in HOSTLESS else "db.internal")


@every_form
def test_a_login_never_shows_its_password(form: str) -> None:
    """Not even where somebody prints it."""
    value = first_value(form, Login("etl", CANARY), SERVER)
    assert CANARY not in repr(read_login(form, value))


# --- what a first value says ---------------------------------------------------------------------------


def test_a_first_airflow_connection_has_all_that_airflow_needs() -> None:
    """B1: in the names of Airflow's own JSON; what is not known is left out."""
    whole = json.loads(first_value("airflow-connection", Login("etl", "x"), SERVER))
    assert whole == {
        "conn_type": "postgres",
        "host": "db.internal",
        "port": 6432,
        "schema": "ware house",
        "login": "etl",
        "password": "x",
        "extra": {"sslmode": "verify-full"},
    }
    bare = json.loads(
        first_value("airflow-connection", Login("etl", "x"), Server("postgres", "h", None, None, {}))
    )
    assert bare == {"conn_type": "postgres", "host": "h", "login": "etl", "password": "x"}


def test_a_first_uri_can_be_taken_apart_again() -> None:
    """Scheme, port, database and options."""
    parts = urlsplit(first_value("airflow-uri", hardest, SERVER))
    assert (parts.scheme, parts.hostname, parts.port) == ("postgres", "db.internal", 6432)
    assert unquote(parts.path) == "/ware house"
    assert parse_qsl(parts.query) == [("sslmode", "verify-full")]


def test_a_first_json_names_the_server() -> None:
    """As plain as a person would write it."""
    assert json.loads(first_value("json", Login("etl", "x"), SERVER)) == {
        "username": "etl",
        "password": "x",
        "host": "db.internal",
        "port": 6432,
        "dbname": "ware house",
    }


def test_a_password_is_nothing_but_the_password() -> None:
    """Blanks included."""
    assert first_value("password", Login("etl", " x\n"), SERVER) == " x\n"


READ_BY_AIRFLOW = """
import json, sys
from airflow.models.connection import Connection
def read(form, text):
    c = Connection.from_json(text) if form == "airflow-connection" else Connection(uri=text)
    return [c.login, c.password, c.host, c.port, c.schema, c.conn_type, c.extra_dejson.get("sslmode")]
print(json.dumps([read(form, text) for form, text in json.load(sys.stdin)]))
"""


def test_airflow_reads_what_we_write() -> None:
    """Asked of Airflow itself, for every character that a keyboard has and some that it has not."""
    logins = [hardest, *(Login("etl", f"a{one}{one}b%41") for one in f"{printable}ä€😀\t\u2028")]
    forms = ("airflow-connection", "airflow-uri")
    given_to_it = [(form, first_value(form, login, SERVER)) for login in logins for form in forms]
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ_BY_AIRFLOW],
        input=json.dumps(given_to_it),
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.defpath, "HOME": os.devnull, "AIRFLOW_HOME": os.devnull + "/airflow"},
    )
    answers = json.loads(ran.stdout.splitlines()[-1])
    assert answers == [
        [login.username, login.password, "db.internal", 6432, "ware house", "postgres", "verify-full"]
        for login in logins
        for _ in forms
    ]


# --- writing leaves the rest ---------------------------------------------------------------------------


LEFT = [
    (
        "airflow-uri",
        "postgres://etl:old@db:1/x?a=%20b&c=d:e@f#g",
        "postgres://new:n%40w@db:1/x?a=%20b&c=d:e@f#g",
    ),
    ("airflow-uri", "postgres://etl:ol@d@db", "postgres://new:n%40w@db"),
    ("airflow-uri", "POSTGRES://db/", "POSTGRES://new:n%40w@db/"),
    ("airflow-uri", "x+y://:old@[::1]:5/?q", "x+y://new:n%40w@[::1]:5/?q"),
    (
        "airflow-connection",
        '{ "login":"a",\n"password" : "b", "x": 1.0 }',
        '{ "login":"new",\n"password" : "n@w", "x": 1.0 }',
    ),
    ("json", '{"host": "h", "password": "b"}', '{"host": "h", "password": "n@w", "username": "new"}'),
    ("password", "whatever", "n@w"),
]


@pytest.mark.parametrize(("form", "before", "after"), LEFT)
def test_only_user_and_password_change(form: str, before: str, after: str) -> None:
    """To the byte."""
    assert write_login(form, before, Login("new", "n@w")) == after


@given(texts, texts, st.text(st.characters(exclude_characters="/?#@", exclude_categories=["Cs"])), st.text())
def test_whatever_follows_in_a_uri_stays(username: str, password: str, place: str, rest: str) -> None:
    """Place, path, options and fragment, be they well-formed or not."""
    after = f"{place}/{rest}"
    assert write_login("airflow-uri", f"pg://a:b@{after}", Login(username, password)).endswith(f"@{after}")


# --- what cannot be read -------------------------------------------------------------------------------


UNREADABLE = [
    *[(form, "") for form in FORMS],
    ("json", CANARY),
    ("json", f'["{CANARY}"]'),
    ("json", f'{{"password": ["{CANARY}"]}}'),
    ("json", f'{{"password": 815, "x": "{CANARY}"}}'),
    ("json", f'{{"password": null, "x": "{CANARY}"}}'),
    ("json", f'{{"username": "{CANARY}"}}'),
    ("json", f'{{"username": 5, "password": "{CANARY}"}}'),
    ("json", f'{{"password": "{CANARY}\\ud800"}}'),
    ("json", f'{{"username": "\\udfff", "password": "{CANARY}"}}'),
    ("airflow-connection", f'{{"host": "\\ud800", "password": "{CANARY}"}}'),
    ("aws-credentials", f'{{"aws_access_key_id": "A", "aws_secret_access_key": "{CANARY}\\udc00"}}'),
    ("json", f'{{"password": "{CANARY}", "password": "{CANARY}"}}'),
    ("airflow-connection", f"postgres://etl:{CANARY}@db"),
    ("airflow-connection", f'{{"login": "etl", "pasword": "{CANARY}"}}'),
    ("airflow-connection", f'{{"host": 1, "password": "{CANARY}"}}'),
    ("airflow-uri", CANARY),
    ("airflow-uri", f"postgres:etl:{CANARY}@db"),
    ("airflow-uri", f"://etl:{CANARY}@db"),
    ("airflow-uri", f"post gres://etl:{CANARY}@db"),
    ("airflow-uri", f"postgres://{CANARY}@db"),
    ("airflow-uri", f"postgres://etl:{CANARY}/x@db"),
    ("airflow-uri", f"postgres://etl:{CANARY}@[db"),
    ("airflow-uri", f'{{"password": "{CANARY}"}}'),
]


@pytest.mark.parametrize(("form", "value"), UNREADABLE)
def test_what_cannot_be_read_is_refused_without_a_word_of_it(form: str, value: str) -> None:
    """An empty password is none, and no message repeats what was there."""
    with pytest.raises(Unreadable) as refusal:
        read_login(form, value)
    assert str(refusal.value)
    assert CANARY not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@every_form
@given(st.text())
def test_no_text_whatever_ends_in_another_error(form: str, value: str) -> None:
    """It is a login, or it is unreadable."""
    calls: list[Callable[[], object]] = [
        lambda: read_login(form, value),
        lambda: write_login(form, value, Login("new", "n@w")),
    ]
    for call in calls:
        with suppress(Unreadable):
            call()
