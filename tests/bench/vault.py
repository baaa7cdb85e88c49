"""A Bitwarden stand-in with connections in it, and this process's environment leading to it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from sandbox.bitwarden import BitwardenStandIn

VALUE = json.dumps({"conn_type": "postgres", "host": "db", "login": "etl", "password": "pw"})


@contextmanager
def vault_with(folder: Path, names: Iterable[str]) -> Iterator[BitwardenStandIn]:
    """It has a connection of each name; the agent ends with the block."""
    with BitwardenStandIn(folder / "bitwarden") as bitwarden:
        project = bitwarden.create_project("bench")
        for name in names:
            bitwarden.put_secret(project=project, key=f"airflow/connections/{name}", value=VALUE)
        os.environ |= {
            "BWS_ACCESS_TOKEN": bitwarden.create_machine_account("bench", {project: "read"}),
            "BWS_ORGANIZATION_ID": bitwarden.organization_id,
            "BWS_API_URL": bitwarden.api_url,
            "BWS_IDENTITY_URL": bitwarden.identity_url,
            "SSL_CERT_FILE": str(bitwarden.ca_file),
            "BITWARDEN_SOCKET_DIR": str(folder),
        }
        try:
            yield bitwarden
        finally:
            VaultClient(read_settings(os.environ)).stop()
