"""pytest fixture: a credential in order, and a Bitwarden that works again afterwards; one site a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from credential_rotation.attempt import persevere
from sandbox.kept import wait_until
from scenes.site.deployment import Site
from scenes.site.fixtures import new_site
from scenes.site.ground import Ground
from scenes.vault.trouble import Struck


@pytest.fixture(scope="module")
def rotated(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A credential that was rotated once."""
    with new_site(ground, tmp_path_factory.mktemp("site") / "include") as site:
        site.environ["ROTATION_SETTLE"] = "1s"
        assert site.run("rotate", "etl").code == 0
        yield site


@pytest.fixture
def struck(rotated: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Struck]:
    """What is tried again at once is tried once more, and without a pause."""
    monkeypatch.setattr(persevere, "WAITS", (0.0,))
    made = Struck(rotated)
    yield made
    made.site.bitwarden.clear_faults()
    if made.was_healed or len(rotated.records("etl")) != 1:  # the latter where a test has failed half way
        wait_until(
            made.is_settled, "what was left half done is settled, and the next version begun", within=30
        )
