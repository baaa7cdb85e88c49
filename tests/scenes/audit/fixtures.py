"""pytest fixture: an agent with an audit trail, gone afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scenes.audit.audited import Audited, audited_scene
from scenes.vault.scene import VaultScene


@pytest.fixture
def audited(vault: VaultScene, tmp_path: Path) -> Iterator[Audited]:
    found = audited_scene(vault, tmp_path / "audit")
    yield found
    found.client.stop()
