"""Whatever user, password, database and option: Airflow's own Connection reads what was written."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from bitwarden_vault.backend.connection_form import connection_text
from bitwarden_vault.formats import AWS_FIELDS, Login, Server, first_value, write_login
from bitwarden_vault.note import NoteBlock, write_note
from scenes.hostile import texts

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

WORDS = texts(control=True) | st.text(min_size=1)
FORMS = ["airflow-connection", "airflow-uri", "json", "password", "aws-credentials"]
ANY = settings(
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


def read_by_airflow(value: str, note: str) -> list[object]:
    """User, password, host, port, database and one option, as a hook would get them."""
    from airflow.sdk import Connection  # noqa: PLC0415 - after Airflow's home is set

    text = connection_text(value, note)
    made = (
        Connection.from_json(text, conn_id="c")
        if text.startswith("{")
        else Connection.from_uri(text, conn_id="c")
    )
    option = made.extra_dejson.get("option")
    return [made.conn_type, made.login, made.password, made.host, made.port, made.schema, option]


def told(user: str, server: Server) -> str:
    """What a note says where the value has no room for it."""
    fields = {"conn_type": server.conn_type, "login": user, "host": server.host, "port": str(server.port)}
    return write_note("Ask Kim.", NoteBlock({**fields, "schema": server.database or ""}))


@pytest.mark.parametrize("form", FORMS[:4])
@ANY
@given(user=WORDS, before=WORDS, password=WORDS, database=WORDS, option=WORDS)
@example(user="%2F", before="x", password="%41+ ", database="a/b?c#d", option="a&b=c")
@example(user="\0", before="x", password="{{ ds }}", database="\n", option="\u202e")
def test_a_login_in_any_form_is_what_airflow_reads(  # noqa: PLR0913, PLR0917 - each is hostile on its own
    form: str, user: str, before: str, password: str, database: str, option: str
) -> None:
    """First written, and written over what was there; nothing is decoded twice, cut or trimmed."""
    server = Server("postgres", "db.internal", 6432, database, {"option": option})
    value = first_value(form, Login("before", before), server)
    value = write_login(form, value, Login(user, password))
    assume(form != "password" or not _is_taken_for_more(value))
    found = read_by_airflow(value, told(user, server))
    is_told = form in {"airflow-connection", "airflow-uri"}
    whole = ["postgres", user, password, "db.internal", 6432, database, option if is_told else None]
    assert found == whole


@ANY
@given(user=WORDS, password=WORDS)
def test_a_key_of_any_text_is_what_airflow_reads(user: str, password: str) -> None:
    """As an `aws` connection, which needs no note."""
    value = first_value("aws-credentials", Login(user, password), Server("aws", "", None, None, {}))
    assert AWS_FIELDS[0] in value
    assert read_by_airflow(value, "")[:3] == ["aws", user, password]


def _is_taken_for_more(value: str) -> bool:
    """A bare password that is a connection by itself, which no value of ours is."""
    return "://" in value or value.startswith("{")
