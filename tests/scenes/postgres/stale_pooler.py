"""A pooler that keeps old verifiers for a while: it takes the old password and refuses the new one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from scenes.postgres.role import Scene


@dataclass
class StalePooler:
    """In front of the server; while stale it logs clients in against what it has kept."""

    port: int
    behind: int
    role: str
    kept_as: str
    """A role of the server's with the old password: the pooler's memory of it."""
    is_stale: bool = True
    asked: int = 0

    def rewritten(self, startup: bytes) -> bytes:
        """Whom the server is asked about."""
        self.asked += 1
        ours, kept = (b"user\0" + name.encode() + b"\0" for name in (self.role, self.kept_as))
        return startup.replace(ours, kept) if self.is_stale else startup


@contextmanager
def stale_pooler(scene: Scene) -> Iterator[StalePooler]:
    """One that has just kept the role's present password; plain connections only."""
    kept_as = f"kept_{scene.role}"
    scene.server.create_role(kept_as, scene.first.password)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        made = StalePooler(port, scene.server.direct_port, scene.role, kept_as)
        threading.Thread(target=_serve, args=(listener, made), daemon=True).start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, made: StalePooler) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_attend, args=(client, made), daemon=True).start()


def _attend(client: socket.socket, made: StalePooler) -> None:
    with client, suppress(OSError), socket.create_connection(("127.0.0.1", made.behind)) as backend:
        length = int.from_bytes(client.recv(4, socket.MSG_WAITALL), "big")
        startup = made.rewritten(client.recv(length - 4, socket.MSG_WAITALL))
        backend.sendall((len(startup) + 4).to_bytes(4, "big") + startup)
        threading.Thread(target=_answer, args=(backend, client), daemon=True).start()
        while piece := client.recv(65536):
            backend.sendall(piece)


def _answer(backend: socket.socket, client: socket.socket) -> None:
    """Whole messages, with a process id of the pooler's own making at login."""
    with suppress(OSError), backend.makefile("rb") as messages:
        while head := messages.read(5):
            body = messages.read(int.from_bytes(head[1:], "big") - 4)
            client.sendall(head + (b"\0\0\1\1" + body[4:] if head[:1] == b"K" else body))
        client.shutdown(socket.SHUT_RDWR)
