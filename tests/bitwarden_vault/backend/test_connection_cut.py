"""JSON behind an editor's mark is read, and JSON that lost its beginning is told: neither is a password."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitwarden_vault.backend.connection_form import NoConnection, connection_text
from bitwarden_vault.note import NoteBlock, write_note

MARK = "\ufeff"
"""What some editors put before a text (a BOM); nobody sees it."""
WHOLE = '{"conn_type": "postgres", "login": "etl", "password": "geheim"}'
CUT = {
    "its first brace": WHOLE[1:],
    "its first brace, behind a mark": MARK + WHOLE[1:],
    "its first quote too": WHOLE[2:],
    "half of its first name": WHOLE[6:],
    "half of its first value": WHOLE[20:],
    "its first line": '  "username": "etl",\n  "password": "geheim"\n}\n',
    "all but its password": '"password": "geheim"}',
    "the beginning of a key's": '"aws_access_key_id": "AKIA1", "aws_secret_access_key": "geheim"}',
}


def _note(**fields: str) -> str:
    return write_note("Ask Kim.", NoteBlock({"conn_type": "postgres", "login": "etl", **fields}))


@pytest.mark.parametrize("value", [MARK + WHOLE, f" {MARK}\n{WHOLE}\n"])
def test_json_behind_a_mark_is_read(value: str) -> None:
    """It was sent to the server as a password, all of it."""
    assert connection_text(value, _note()) == WHOLE


def test_so_is_a_uri() -> None:
    """One that is none is told, too."""
    value = "postgres://etl:geheim@db/w"
    assert connection_text(MARK + value, _note()) == value
    with pytest.raises(NoConnection, match="it begins like a URI"):
        connection_text(f"{MARK}postgresql+psycopg://etl:geheim@db/w", _note())


def test_broken_json_behind_a_mark_is_told() -> None:
    """As without the mark."""
    with pytest.raises(NoConnection, match="is no JSON object"):
        connection_text(f'{MARK}{{"password": "geheim"', _note())


@pytest.mark.parametrize("value", CUT.values(), ids=CUT)
@pytest.mark.parametrize("form", [None, "json"])
def test_json_that_lost_its_beginning_is_told(value: str, form: str | None) -> None:
    """With what to do, whichever it was, and without any of it."""
    with pytest.raises(NoConnection, match="JSON object that has lost its beginning") as caught:
        connection_text(value, _note(**({"format": form} if form else {})))
    assert 'write "format": "password" into' in str(caught.value)
    assert "geheim" not in str(caught.value)


ODD = ("}", '":1}', '"a": 1}', '"abc": "def"}', 'x": "y"}', f"{MARK}word", '"login"}', "login: x}")


@pytest.mark.parametrize("password", [*CUT.values(), *ODD, MARK + "{"])
def test_a_password_may_be_like_that_where_the_note_says_what_it_is(password: str) -> None:
    """To the byte."""
    made = json.loads(connection_text(password, _note(format="password")))
    assert made["password"] == password


@pytest.mark.parametrize("password", ODD)
def test_marks_of_json_alone_make_no_json(password: str) -> None:
    """It has to be whole but for its beginning, and to name what a connection has."""
    assert json.loads(connection_text(password, _note()))["password"] == password


@given(password=st.text(st.sampled_from('"{}:, ab1'), min_size=1).map(lambda text: f"x{text}}}"))
def test_no_password_is_refused_for_its_symbols(password: str) -> None:
    """However many of JSON's it has."""
    assert json.loads(connection_text(password, _note()))["password"] == password
