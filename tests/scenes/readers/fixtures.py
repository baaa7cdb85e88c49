"""pytest fixture: vault scenes whose agents publish who reads; stopped before the vault's own looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scenes.readers.living import Share, shared
from scenes.vault.scene import VaultScene


@pytest.fixture
def share(vault: VaultScene) -> Iterator[Share]:
    made = []

    def make(folder: Path, **environ: str) -> VaultScene:
        made.append(shared(vault, folder, **environ))
        return made[-1]

    yield make
    for scene in made:
        scene.client.stop()
