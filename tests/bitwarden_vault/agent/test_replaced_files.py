"""A release is unpacked over the files of an agent that runs: what it imports later may be of other code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.places import PLUGINS
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

_CODE = """
import os, sys
from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import VaultError
from bitwarden_vault.settings import read_settings
client = VaultClient(read_settings(os.environ))
client.list_projects()
for file in sys.argv[1:]:
    open(file, "w").write("raise ImportError('another release')")
try:
    client.get_secret("5f0c1c1e-0000-4000-8000-00000000dead")
except VaultError as error:
    print(error.kind)
"""


def test_a_worker_tells_what_bitwarden_said_though_its_files_were_replaced(
    vault: VaultScene, tmp_path: Path
) -> None:
    """It would die of the import, and a 429 or a refused token would be told as a lost worker."""
    agent = shutil.copytree(PLUGINS / "bitwarden_vault", tmp_path / "bitwarden_vault") / "agent"
    ran = subprocess.run(
        [sys.executable, "-c", _CODE, str(agent / "sdk_errors.py")],
        env={**vault.environ, "PYTHONPATH": str(tmp_path), "PATH": os.defpath},
        capture_output=True,
        check=True,
        text=True,
        timeout=30,
    )
    assert ran.stdout == "not_found\n"
