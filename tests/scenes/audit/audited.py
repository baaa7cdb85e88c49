"""A vault scene whose agent keeps an audit trail, and what can be asked of it."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bitwarden_vault.client import VaultClient
from bitwarden_vault.nouns import Caller
from bitwarden_vault.settings import read_settings
from sandbox.places import PLUGINS
from scenes.audit.trail import said
from scenes.vault.scene import VaultScene

TASK = Caller(dag_id="nightly", task_id="load", run_id="manual__1", try_number=2)


@dataclass(frozen=True, slots=True)
class Audited:
    """A vault scene whose agent keeps a trail."""

    scene: VaultScene
    folder: Path

    @property
    def client(self) -> VaultClient:
        return VaultClient(self.scene.settings, TASK)

    def lines(self, operation: str) -> list[dict[str, Any]]:
        """Of all agents so far."""
        return [line for line in said(self.folder) if line["operation"] == operation]

    def all_lines(self, operation: str) -> list[dict[str, Any]]:
        """After the agent has left."""
        self.client.stop()
        return self.lines(operation)

    def verify(self, *arguments: str, environ: dict[str, str] | None = None) -> tuple[int, str]:
        """The command, as an auditor runs it: exit code and what it says."""
        command = [sys.executable, "-m", "bitwarden_vault", "audit", "verify", *arguments]
        environment = {"PYTHONPATH": str(PLUGINS), "PATH": os.defpath, **(environ or {})}
        done = subprocess.run(
            command, env=environment, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return done.returncode, done.stdout


def audited_scene(vault: VaultScene, folder: Path, **more: str) -> Audited:
    environ = {**vault.environ, "BITWARDEN_AUDIT_PATH": str(folder), **more}
    return Audited(replace(vault, environ=environ, settings=read_settings(environ)), folder)
