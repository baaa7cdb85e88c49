"""A host that has more readers than its agent keeps: those it names are not all, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitwarden_vault.readers.document import FOLDER
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.state.readers import PublishedReaders
from scenes.readers.sides import current, document, reader
from simulators.world import World


@pytest.mark.parametrize("left_out", [0, 7])
def test_how_many_were_left_out_is_told_beside_the_others(tmp_path: Path, left_out: int) -> None:
    """Where it is none, all are known."""
    folder, world = StateFolder(str(tmp_path)), World()
    folder.write(
        f"{FOLDER}/host-a-1", document("host-a", world.now, reader("one", 3, world.now), left_out=left_out)
    )
    found = PublishedReaders(folder, world.clock).of(current("one"))
    assert [one.version for one in found.living] == [3]
    assert found.unknown == ("host-a had more readers than it keeps (7)" if left_out else "")
