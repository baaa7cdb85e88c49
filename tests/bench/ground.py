"""The servers that rotations and plans of the bench ask, and an agent of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sandbox.bitwarden.stand_in import BitwardenStandIn
from sandbox.postgres import PostgresServer
from scenes.site.ground import ACCOUNT, Ground, own_agent


@contextmanager
def ground_in(folder: Path) -> Iterator[Ground]:
    """Running, and ended with the block."""
    with ExitStack() as stack:
        bitwarden = stack.enter_context(BitwardenStandIn(folder / "bitwarden"))
        postgres = stack.enter_context(PostgresServer(folder / "postgres"))
        token = bitwarden.create_machine_account(ACCOUNT, {})
        environ = stack.enter_context(own_agent(Ground(bitwarden, postgres, token, Path()), token))
        yield Ground(bitwarden, postgres, token, Path(environ["BITWARDEN_SOCKET_DIR"]))
