"""A connection that is cut between a commit and its reply: in front of a real server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from scenes.postgres.front import carry, framed, in_front_of, messages_of

_COMMITTED = b"COMMIT\0"


@dataclass
class Cutter:
    """Swallows the reply to a COMMIT while it is armed, and ends the connection there."""

    port: int = 0
    is_armed: bool = True
    cuts: int = 0

    def answer(self, server: socket.socket, client: socket.socket) -> None:
        """What the server says, up to there."""
        with client, suppress(OSError):
            for kind, body in messages_of(server):
                if self.is_armed and kind == b"C" and body == _COMMITTED:
                    self.cuts += 1
                    client.shutdown(socket.SHUT_RDWR)
                    server.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(framed(body, kind))


@contextmanager
def cutter(port: int) -> Iterator[Cutter]:
    """Stand in front of the server on this port; plain connections only."""
    made = Cutter()
    with in_front_of(port, carry, made.answer) as made.port:
        yield made


@contextmanager
def other_name(port: int) -> Iterator[tuple[str, int]]:
    """The same server under an address that its certificate does not name; its TLS goes through untouched."""
    host = "127.0.0.2"
    with in_front_of(port, carry, carry, host=host) as own_port:
        yield host, own_port
