"""A stand-in between clients and a real PostgreSQL: it connects on, and carries what both say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Carrier = Callable[[socket.socket, socket.socket], object]
"""Carries from the first to the second until one of them ends."""


@contextmanager
def in_front_of(port: int, ask: Carrier, answer: Carrier, *, host: str = "127.0.0.1") -> Iterator[int]:
    """Stand in front of the server on this port; gives its own port.

    Of each connection `ask` carries what the client says, and `answer` what the server says, side by side.
    """
    with socket.create_server((host, 0)) as listener:
        threading.Thread(target=_serve, args=(listener, port, ask, answer), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, port: int, ask: Carrier, answer: Carrier) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:  # it is down, and may come back
                client.close()
                continue
            threading.Thread(target=ask, args=(client, server), daemon=True).start()
            threading.Thread(target=answer, args=(server, client), daemon=True).start()


def carry(source: socket.socket, drain: socket.socket) -> None:
    """As it is."""
    with drain, suppress(OSError):
        while piece := source.recv(65536):
            drain.sendall(piece)


def startup_of(client: socket.socket) -> bytes:
    """The first message of a client, without its length: it has no kind."""
    length = int.from_bytes(client.recv(4, socket.MSG_WAITALL), "big")
    return client.recv(length - 4, socket.MSG_WAITALL)


def framed(body: bytes, kind: bytes = b"") -> bytes:
    """A message of this kind."""
    return kind + (len(body) + 4).to_bytes(4, "big") + body


def messages_of(server: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each message of a server."""
    with server.makefile("rb") as stream:
        while head := stream.read(5):
            yield head[:1], stream.read(int.from_bytes(head[1:], "big") - 4)


def carry_renamed(server: socket.socket, client: socket.socket) -> None:
    """Whole messages, with a process id of a pooler's own making at login (BackendKeyData)."""
    with client, suppress(OSError):
        for kind, body in messages_of(server):
            client.sendall(framed(b"\0\0\1\1" + body[4:] if kind == b"K" else body, kind))
