"""What becomes a connection's extra: the note's, over it the value's members, over them its own extra."""

import json

import pytest

from bitwarden_vault.backend.connection_form import NoConnection, connection_text
from bitwarden_vault.note import NoteBlock, write_note

STRICT = '{"sslmode": "verify-full", "connect_timeout": "5"}'


def note(**fields: str) -> str:
    return write_note("Ask Kim.", NoteBlock(fields))


def extra_of(value: dict[str, object], beside: str = "") -> object:
    return json.loads(connection_text(json.dumps(value), beside)).get("extra")


@pytest.mark.parametrize(
    "extra", [{"sslmode": "require"}, '{"sslmode": "require"}', ' {"sslmode": "require"}\n']
)
def test_an_extra_is_an_object_or_one_as_text(extra: object) -> None:
    """Airflow writes it as text, people as an object."""
    value = {"username": "etl", "password": "pw", "extra": extra}
    assert extra_of(value, note(conn_type="postgres")) == {"sslmode": "require"}
    assert extra_of({**value, "conn_type": "postgres"}) == {"sslmode": "require"}


@pytest.mark.parametrize("extra", [{"region_name": "eu"}, '{"region_name": "eu"}'])
def test_beside_the_keys_of_aws_it_is_the_extra_and_not_a_member_of_it(extra: object) -> None:
    """A region inside of it would be overlooked, and another one used."""
    value = {
        "aws_access_key_id": "AKIA1",
        "aws_secret_access_key": "s",
        "aws_session_token": "t",
        "extra": extra,
    }
    assert extra_of(value) == {"aws_session_token": "t", "region_name": "eu"}
    told = note(conn_type="aws", extra='{"role_arn": "arn:x", "region_name": "us"}')
    assert extra_of(value, told) == {"role_arn": "arn:x", "aws_session_token": "t", "region_name": "eu"}


def test_what_the_note_says_stays_unless_the_value_says_otherwise() -> None:
    """One more member must not open an encrypted connection."""
    told = note(conn_type="postgres", extra=STRICT)
    value: dict[str, object] = {"username": "etl", "password": "pw", "application_name": "etl"}
    assert extra_of(value, told) == {**json.loads(STRICT), "application_name": "etl"}
    value = {**value, "connect_timeout": "6", "extra": {"application_name": "nightly"}}
    assert extra_of(value, told) == {
        "sslmode": "verify-full", "connect_timeout": "6", "application_name": "nightly",
    }  # fmt: skip


@pytest.mark.parametrize("extra", ["sslmode=geheim", '["geheim"]', ["geheim"], 5, True, "{", '{"a": geheim}'])
@pytest.mark.parametrize(
    "value",
    [
        {"username": "etl", "password": "pw"},
        {"conn_type": "postgres", "login": "etl"},
        {"aws_access_key_id": "AKIA1", "aws_secret_access_key": "s"},
    ],
    ids=["ours", "airflow's", "aws"],
)
def test_an_extra_that_is_no_object_is_told(value: dict[str, object], extra: object) -> None:
    """Airflow would go on without it."""
    with pytest.raises(NoConnection, match="its extra is not a JSON object") as caught:
        extra_of({**value, "extra": extra}, note(conn_type="postgres"))
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_extra_is_none(nothing: object) -> None:
    """As Airflow exports it."""
    value = {"username": "etl", "password": "pw", "extra": nothing}
    assert extra_of(value, note(conn_type="postgres", extra=STRICT)) == json.loads(STRICT)
