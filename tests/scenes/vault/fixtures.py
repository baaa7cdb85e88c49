"""pytest fixture: a vault scene of which nothing is left behind; whatever would be is a failure.

Sockets lie in a short directory of their own: the path of a test's own folder can be too long for one.
"""

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bitwarden_vault.settings import read_settings
from sandbox.bitwarden.sdk import Workplace
from scenes.vault.scene import VaultScene, until


@pytest.fixture
def vault(workplace: Workplace) -> Iterator[VaultScene]:
    """An agent is started by whoever asks first, and is gone afterwards."""
    bitwarden = workplace.bitwarden
    directory = Path(tempfile.mkdtemp(prefix="bwv-"))
    environ = {
        "BWS_ACCESS_TOKEN": workplace.token,
        "BWS_ORGANIZATION_ID": bitwarden.organization_id,
        "BWS_API_URL": bitwarden.api_url,
        "BWS_IDENTITY_URL": bitwarden.identity_url,
        "SSL_CERT_FILE": str(bitwarden.ca_file),
        "BITWARDEN_SOCKET_DIR": str(directory),
        "BITWARDEN_DEADLINE": "5s",
        "BITWARDEN_PATIENCE": "20s",
    }
    scene = VaultScene(workplace, read_settings(environ), environ, directory)
    bitwarden.clear_requests()
    try:
        yield scene
        scene.client.stop()
        until(lambda: not scene.processes(), "nothing is left running", within=2.0)
    finally:
        for pid in scene.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(directory)
