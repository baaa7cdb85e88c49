"""What a task gets of a connection in Bitwarden: the connection, or what is wrong with it and where.

Airflow swallows nearly every error of a backend and says "isn't defined": these go through its own search.
"""

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from bitwarden_vault.errors import VaultError
from bitwarden_vault.note import NoteBlock, write_note
from bitwarden_vault.settings import PASSED_ON
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures", "scenes.airflow.imported"]

if TYPE_CHECKING:
    from airflow.sdk import Connection

Get: TypeAlias = "Callable[[str], Connection]"
FULL = {"host": "db.internal", "port": 5432}


@pytest.fixture
def backend(airflow: None, vault: VaultScene, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - Airflow's class is imported late
    """Ours, as the only one that Airflow asks; its log of what it swallows is on."""
    del airflow
    for name in PASSED_ON:
        monkeypatch.delenv(name, raising=False)
    for name, text in vault.environ.items():
        monkeypatch.setenv(name, text)
    from airflow.sdk import Connection  # noqa: PLC0415 - after AIRFLOW_HOME is set
    from airflow.sdk.execution_time import supervisor  # noqa: PLC0415 - as above

    from bitwarden_vault.backend import BitwardenSecretsBackend  # noqa: PLC0415 - as above

    made = BitwardenSecretsBackend()
    made._set_connection_class(Connection)
    monkeypatch.setattr(supervisor, "ensure_secrets_backend_loaded", lambda *_, **__: [made])
    return made


@pytest.fixture(params=["Connection.get", "BaseHook.get_connection"])
def get(request: pytest.FixtureRequest, backend: object) -> Get:
    """Both ways in which a task asks."""
    assert backend
    from airflow.sdk import BaseHook, Connection  # noqa: PLC0415 - after AIRFLOW_HOME is set

    return {"Connection.get": Connection.get, "BaseHook.get_connection": BaseHook.get_connection}[
        str(request.param)
    ]


def note(**fields: str) -> str:
    return write_note("Ask Kim.", NoteBlock(fields))


READ = {
    "conn_type beside the names of our own format": (
        {"conn_type": "postgres", "username": "etl", "password": "geheim", "dbname": "w", **FULL},
        "",
        ("postgres", "etl", "geheim", "db.internal", 5432, "w", {}),
    ),
    "conn_type beside the keys of AWS": (
        {"conn_type": "aws", "aws_access_key_id": "AKIA1", "aws_secret_access_key": "s", "region_name": "eu"},
        "",
        ("aws", "AKIA1", "s", None, None, None, {"region_name": "eu"}),
    ),
    "another service's type beside the keys of AWS": (
        {"conn_type": "emr", "aws_access_key_id": "AKIA1", "aws_secret_access_key": "s"},
        "",
        ("emr", "AKIA1", "s", None, None, None, {}),
    ),
    "conn_type beside what belongs into the extra": (
        {"conn_type": "postgres", "login": "etl", "password": "geheim", "sslmode": "require"},
        "",
        ("postgres", "etl", "geheim", None, None, None, {"sslmode": "require"}),
    ),
    "a password and a user of digits": (
        {"username": 5, "password": 123456},
        note(conn_type="postgres"),
        ("postgres", "5", "123456", None, None, None, {}),
    ),
    "the same in Airflow's own words": (
        {"conn_type": "postgres", "login": 5, "password": 123456, "port": "5432"},
        "",
        ("postgres", "5", "123456", None, 5432, None, {}),
    ),
    "a conn_type that is null, and one in the note": (
        {"conn_type": None, "login": "etl", "password": "geheim"},
        note(conn_type="postgres", host="db.internal"),
        ("postgres", "etl", "geheim", "db.internal", None, None, {}),
    ),
}


@pytest.mark.parametrize(("value", "beside", "found"), READ.values(), ids=READ.keys())
def test_json_that_is_not_quite_airflows_is_a_connection(
    get: Get, vault: VaultScene, value: dict[str, object], beside: str, found: tuple[object, ...]
) -> None:
    """B1: Airflow itself stumbles over one member that it does not know."""
    vault.put("airflow/connections/x", json.dumps(value), beside)
    made = get("x")
    told = (made.conn_type, made.login, made.password, made.host, made.port, made.schema, made.extra_dejson)
    assert told == found


def test_what_describes_a_connection_is_no_option_of_its_driver(get: Get, vault: VaultScene) -> None:
    """PostgreSQL would refuse an option of that name."""
    value = {"conn_type": "postgres", "username": "etl", "password": "geheim", "description": "Of Kim"}
    vault.put("airflow/connections/x", json.dumps(value))
    assert (get("x").description, get("x").extra) == ("Of Kim", None)


UNREADABLE = {
    "a port that is none": ('{"username": "etl", "password": "geheim", "port": "geheim"}', "its port is not"),
    "such a port in Airflow's own words": ('{"conn_type": "http", "port": "geheim"}', "its port is not"),
    "a port that is too high": ('{"conn_type": "http", "port": 70000}', "its port is not"),
    "a password that is a list": ('{"username": "etl", "password": ["geheim"]}', "its password is neither"),
    "a host that is true": ('{"conn_type": "http", "host": true}', "its host is neither"),
    "half a character": (
        '{"conn_type": "http", "password": "geheim\\ud800"}',
        "half a character",
    ),
    "half a character in the extra": (
        '{"conn_type": "http", "extra": {"a": "geheim\\ud800"}}',
        "half a character",
    ),
    "half a character in an extra as text": (
        '{"conn_type": "http", "extra": "{\\"a\\": \\"geheim\\\\ud800\\"}"}',
        "half a character",
    ),
    "a slash in a URI's password": ("postgres://etl:geheim/x@h:5432/d", "%2F"),
    "a URL in a URI's password": ("postgres://etl:geheim://99@h:5432/d?x=http://y", "%3A%2F%2F"),
    "a URL in a URI's option": ("postgres://etl:geheim@h:5432/d?x=http://y", "%3A%2F%2F"),
    "a bracket in a URI's host": ("postgres://etl:geheim@[h:5432/d", "host or port"),
    "a port that a URI cannot have": ("postgres://etl:geheim@h:70000/d", "host or port"),
}


@pytest.mark.parametrize(("value", "why"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_told_with_its_secret_and_not_shown(
    get: Get, vault: VaultScene, value: str, why: str
) -> None:
    """B1: "isn't defined" would send people looking elsewhere."""
    from airflow.sdk.exceptions import AirflowSecretsBackendAccessDenied  # noqa: PLC0415 - after Airflow's home is set

    made = vault.put("airflow/connections/x", value, note(conn_type="postgres"))
    with pytest.raises(AirflowSecretsBackendAccessDenied) as caught:
        get("x")
    said = str(caught.value)
    assert f"the secret 'airflow/connections/x' ({made}): " in said
    assert why in said
    assert "geheim" not in said


def test_a_port_in_the_note_that_is_none_is_told_of_the_note(get: Get, vault: VaultScene) -> None:
    """The value is all right there."""
    vault.put("airflow/connections/x", "pw", note(conn_type="postgres", port="5432a"))
    with pytest.raises(Exception, match="the port in its note's block is not a number"):
        get("x")


@pytest.mark.parametrize("fault", [ValueError, TypeError, RecursionError, None])
def test_whatever_airflow_stumbles_over_is_an_error_of_ours(
    backend: Any,  # noqa: ANN401 - Airflow's class is imported late
    get: Get,
    vault: VaultScene,
    fault: type[Exception] | None,
) -> None:
    """Another version may be stricter; its own words may quote the value. A connection of no type is none."""
    from airflow.sdk import Connection  # noqa: PLC0415 - after Airflow's home is set

    class Stricter(Connection):
        @classmethod
        def from_json(cls, value: str, conn_id: str | None = None) -> Connection:
            if fault is not None:
                raise fault(f"cannot read {value}")
            return Connection(conn_id=conn_id or "", password="geheim")

    backend._set_connection_class(Stricter)
    made = vault.put("airflow/connections/x", '{"conn_type": "http", "password": "geheim"}')
    with pytest.raises(Exception, match=f"the secret 'airflow/connections/x' .{made}.: Airflow") as caught:
        get("x")
    assert type(caught.value).__name__ == "AirflowSecretsBackendAccessDenied"
    assert "geheim" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


def test_before_airflow_3_2_it_is_a_line_in_the_log(
    backend: Any,  # noqa: ANN401 - Airflow's class is imported late
    vault: VaultScene,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Airflow 3.1 swallows every error."""
    from airflow.sdk import Connection, exceptions  # noqa: PLC0415 - after Airflow's home is set

    def from_json(value: str, conn_id: str) -> None:
        raise TypeError(value, conn_id)

    monkeypatch.setattr(Connection, "from_json", from_json)
    monkeypatch.delattr(exceptions, "AirflowSecretsBackendAccessDenied")
    made = vault.put("airflow/connections/x", '{"conn_type": "http", "password": "geheim"}')
    with caplog.at_level(logging.ERROR), pytest.raises(VaultError):
        backend.get_connection("x")
    assert made in caplog.text
    assert "geheim" not in caplog.text
