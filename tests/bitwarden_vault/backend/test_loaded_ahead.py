"""What a scheduler has loaded for the tasks that are forked from it."""

from __future__ import annotations

import json
from pathlib import Path

from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

FIRST_LOOKUP = """
import json, os, sys
os.environ["AIRFLOW_HOME"] = {home!r}
from airflow.sdk import Connection
from bitwarden_vault.backend import BitwardenSecretsBackend
from credential_rotation_plugin import load_ahead
load_ahead()
before = set(sys.modules)
backend = BitwardenSecretsBackend()
backend._set_connection_class(Connection)
login = backend.get_connection("etl").login
print(json.dumps([login, sorted(set(sys.modules) - before)]))
"""


VERSIONS = """
import os
os.environ["AIRFLOW_HOME"] = {home!r}
from bitwarden_vault.build import build
from credential_rotation.inventory.kept import code
from credential_rotation_plugin import load_ahead
load_ahead()
print(*(one.cache_info().currsize for one in (build, code)))
"""


def test_tasks_know_already_which_version_their_code_is(vault: VaultScene, tmp_path: Path) -> None:
    """It takes a look at each of its files, 4 ms for every task."""
    [said] = vault.run(VERSIONS.format(home=str(tmp_path)))
    assert said.splitlines()[-1] == "1 1"


def test_a_tasks_first_lookup_imports_nothing(vault: VaultScene, tmp_path: Path) -> None:
    """Not even the one that starts the agent: that would be 5 ms for which a value is waited for."""
    value = json.dumps({"conn_type": "postgres", "host": "db", "login": "etl", "password": "pw"})
    vault.put("airflow/connections/etl", value)
    [said] = vault.run(FIRST_LOOKUP.format(home=str(tmp_path)))
    assert json.loads(said.splitlines()[-1]) == ["etl", []]
