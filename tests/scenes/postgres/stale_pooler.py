"""A pooler that keeps old verifiers for a while: it takes the old password and refuses the new one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from scenes.postgres.front import carry, carry_renamed, framed, in_front_of, startup_of
from scenes.postgres.role import Scene


@dataclass
class StalePooler:
    """In front of the server; while stale it logs clients in against what it has kept."""

    role: str
    kept_as: str
    """A role of the server's with the old password: the pooler's memory of it."""
    port: int = 0
    is_stale: bool = True
    asked: int = 0

    def rewritten(self, startup: bytes) -> bytes:
        """Whom the server is asked about."""
        self.asked += 1
        ours, kept = (b"user\0" + name.encode() + b"\0" for name in (self.role, self.kept_as))
        return startup.replace(ours, kept) if self.is_stale else startup

    def ask(self, client: socket.socket, server: socket.socket) -> None:
        """What the client says, under the name that the server is asked about."""
        with server, suppress(OSError):
            server.sendall(framed(self.rewritten(startup_of(client))))
            carry(client, server)


@contextmanager
def stale_pooler(scene: Scene) -> Iterator[StalePooler]:
    """One that has just kept the role's present password; plain connections only."""
    made = StalePooler(scene.role, f"kept_{scene.role}")
    scene.server.create_role(made.kept_as, scene.first.password)
    with in_front_of(scene.server.direct_port, made.ask, carry_renamed) as made.port:
        yield made
