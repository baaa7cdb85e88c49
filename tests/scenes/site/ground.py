"""A Bitwarden, a PostgreSQL, and the agents of those who ask the first."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from sandbox.bitwarden.stand_in import BitwardenStandIn
from sandbox.postgres import PostgresServer

ACCOUNT = "rotation"
"""The machine account that the tests' sites are granted to."""


@dataclass(frozen=True)
class Ground:
    """The servers, and a machine account whose agent all tests share."""

    bitwarden: BitwardenStandIn
    postgres: PostgresServer
    token: str
    sockets: Path

    def environ(self, token: str | None = None, sockets: Path | None = None) -> dict[str, str]:
        """How to reach Bitwarden."""
        return {
            "BWS_ACCESS_TOKEN": token or self.token,
            "BWS_ORGANIZATION_ID": self.bitwarden.organization_id,
            "BWS_API_URL": self.bitwarden.api_url,
            "BWS_IDENTITY_URL": self.bitwarden.identity_url,
            "SSL_CERT_FILE": str(self.bitwarden.ca_file),
            "BITWARDEN_SOCKET_DIR": str(sockets or self.sockets),
            "ROTATION_STATE_PATH": str((sockets or self.sockets) / "state"),
            "BITWARDEN_DEADLINE": "5s",
            "BITWARDEN_PATIENCE": "10s",
        }


@contextmanager
def own_agent(ground: Ground, token: str, **changed: str) -> Iterator[dict[str, str]]:
    """The settings of somebody whose agent is stopped afterwards; who needs another one leaves it behind."""
    sockets = Path(tempfile.mkdtemp(prefix="bwv-"))  # short: a socket's path has a limit
    environ = {**ground.environ(token, sockets), **changed}
    try:
        yield environ
        VaultClient(read_settings(environ)).stop()
        assert not list(sockets.glob("*.sock")), "an agent is left behind"
    finally:
        VaultClient(read_settings(environ)).stop()
        shutil.rmtree(sockets)
