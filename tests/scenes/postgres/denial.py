"""A managed service that lets few change passwords: in front of a real server, it says 42501 to ALTER."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from scenes.postgres.front import carry, framed, in_front_of

_STILL_IN_TRANSACTION = b"Z\0\0\0\5T"


@dataclass
class Denier:
    """Lets the first `allow` changes of a role through, and then none."""

    port: int = 0
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

    def ask(self, client: socket.socket, server: socket.socket) -> None:
        """What the client says, message by message; the first has no kind."""
        with server, suppress(OSError), client.makefile("rb") as stream:
            kind = b""
            while length := stream.read(4):
                body = stream.read(int.from_bytes(length, "big") - 4)
                if self.denies(kind, body):
                    denied = b"SERROR\0VERROR\0C" + self.code + b"\0Mnot so\0\0"
                    client.sendall(framed(denied, b"E") + _STILL_IN_TRANSACTION)
                else:
                    server.sendall(kind + length + body)
                kind = stream.read(1)


@contextmanager
def denier(port: int) -> Iterator[Denier]:
    """Stand in front of the server on this port; plain connections only."""
    made = Denier()
    with in_front_of(port, made.ask, carry) as made.port:
        yield made
