"""pytest fixture: a deployment in an organisation with 5,000 secrets that are not its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.bitwarden.stand_in import BitwardenStandIn
from scenes.site.deployment import Site
from scenes.site.fixtures import new_site
from scenes.site.ground import ACCOUNT, Ground, own_agent

SECRETS = 5000


@pytest.fixture
def crowded(ground: Ground, tmp_path: Path) -> Iterator[Site]:
    """Its machine account sees them all."""
    with BitwardenStandIn(tmp_path / "bitwarden") as bitwarden:
        token = bitwarden.create_machine_account(ACCOUNT, {})
        with own_agent(Ground(bitwarden, ground.postgres, token, Path()), token) as environ:
            its_own = Ground(bitwarden, ground.postgres, token, Path(environ["BITWARDEN_SOCKET_DIR"]))
            with new_site(its_own, tmp_path / "include") as site:
                crowd = bitwarden.create_project("crowd")
                bitwarden.grant(ACCOUNT, crowd, "read")
                sealed = {field: bitwarden._key.encrypt("theirs") for field in ("key", "value", "note")}
                for _ in range(SECRETS):  # encrypted once: this is about their number
                    bitwarden._server.ask("put_secret", project=crowd, **sealed)
                yield site
