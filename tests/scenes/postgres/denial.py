"""A managed service that lets few change passwords: in front of a real server, it says 42501 to ALTER."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_STILL_IN_TRANSACTION = b"Z\0\0\0\5T"


@dataclass
class Denier:
    """Lets the first `allow` changes of a role through, and then none."""

    port: int
    behind: int
    allow: int = 0
    code: bytes = b"42501"
    only: bytes = b"ALTER ROLE"
    """What a refused change has in it."""
    seen: list[bytes] = field(default_factory=list)

    def denies(self, kind: bytes, body: bytes) -> bool:
        """Whether this message is a change that is refused; every change is counted."""
        if kind != b"Q" or not body.startswith(b"ALTER ROLE") or self.only not in body:
            return False
        self.seen.append(body)
        return len(self.seen) > self.allow


@contextmanager
def denier(port: int) -> Iterator[Denier]:
    """Stand in front of the server on this port; plain connections only."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Denier(listener.getsockname()[1], port)
        threading.Thread(target=_serve, args=(listener, made), daemon=True).start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, made: Denier) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            backend = socket.create_connection(("127.0.0.1", made.behind))
            threading.Thread(target=_ask, args=(client, backend, made), daemon=True).start()
            threading.Thread(target=_answer, args=(backend, client), daemon=True).start()


def _ask(client: socket.socket, backend: socket.socket, made: Denier) -> None:
    """Carry whole messages; the first has no kind."""
    with backend, suppress(OSError), client.makefile("rb") as messages:
        kind = b""
        while length := messages.read(4):
            body = messages.read(int.from_bytes(length, "big") - 4)
            if made.denies(kind, body):
                denied = b"SERROR\0VERROR\0C" + made.code + b"\0Mnot so\0\0"
                size = (len(denied) + 4).to_bytes(4, "big")
                client.sendall(b"E" + size + denied + _STILL_IN_TRANSACTION)
            else:
                backend.sendall(kind + length + body)
            kind = messages.read(1)


def _answer(backend: socket.socket, client: socket.socket) -> None:
    with client, suppress(OSError):
        while piece := backend.recv(65536):
            client.sendall(piece)
