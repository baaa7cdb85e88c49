"""The secrets backend on the base class of Airflow 3.1: no teams, and no error that ends a search.

`make older` runs it in real ones.
"""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from bitwarden_vault.errors import VaultError
from bitwarden_vault.settings import PASSED_ON
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

if TYPE_CHECKING:
    from bitwarden_vault.backend import BitwardenSecretsBackend


@pytest.fixture
def backend(
    vault: VaultScene, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["BitwardenSecretsBackend"]:
    """One whose base class is as in Airflow 3.1."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AIRFLOW_HOME", str(tmp_path_factory.getbasetemp() / "older-airflow"))
        for name in PASSED_ON:
            patched.delenv(name, raising=False)
        for name, text in vault.environ.items():
            patched.setenv(name, text)
        from airflow.sdk import Connection, exceptions  # noqa: PLC0415 - after AIRFLOW_HOME is set

        from bitwarden_vault.backend import BitwardenSecretsBackend  # noqa: PLC0415 - as above

        def get_connection(self: Any, conn_id: str) -> Any:  # noqa: ANN401 - as in Airflow
            value = self.get_conn_value(conn_id=conn_id)
            return self.deserialize_connection(conn_id=conn_id, value=value) if value else None

        def deserialize_connection(self: Any, conn_id: str, value: str) -> Connection:  # noqa: ANN401, ARG001 - as above
            return Connection.from_uri(value, conn_id)

        base = BitwardenSecretsBackend.__mro__[1]
        patched.setattr(base, "get_connection", get_connection)
        patched.setattr(base, "deserialize_connection", deserialize_connection)
        patched.delattr(exceptions, "AirflowSecretsBackendAccessDenied", raising=False)
        yield BitwardenSecretsBackend()


def test_connections_are_found_where_the_base_class_knows_no_teams(
    backend: "BitwardenSecretsBackend", vault: VaultScene
) -> None:
    """Airflow 3.1 would say "not defined" of what the call breaks on."""
    vault.put("airflow/connections/warehouse", "postgres://etl:pw@db/w")
    assert backend.get_connection("warehouse").login == "etl"
    assert backend.get_connection("nowhere") is None


def test_an_outage_is_told_in_the_log_where_airflow_swallows_every_error(
    backend: "BitwardenSecretsBackend", vault: VaultScene, caplog: pytest.LogCaptureFixture
) -> None:
    """At ERROR, since Airflow goes on to say "not defined"."""
    vault.workplace.bitwarden.revoke_token(vault.workplace.token)
    with caplog.at_level(logging.ERROR), pytest.raises(VaultError, match="refuses the access token"):
        backend.get_connection("warehouse")
    assert "refuses the access token" in caplog.text
