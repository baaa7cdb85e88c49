"""A connection that is cut between a commit and its reply: in front of a real server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_COMMITTED = b"COMMIT\0"


@dataclass
class Cutter:
    """Swallows the reply to a COMMIT while it is armed, and ends the connection there."""

    port: int
    behind: int
    is_armed: bool = True
    cuts: int = 0


@contextmanager
def cutter(port: int) -> Iterator[Cutter]:
    """Stand in front of the server on this port; plain connections only."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Cutter(listener.getsockname()[1], port)
        threading.Thread(target=_serve, args=(listener, made), daemon=True).start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def other_name(port: int) -> Iterator[tuple[str, int]]:
    """The same server under an address that its certificate does not name; its TLS goes through untouched."""
    with socket.create_server(("127.0.0.2", 0)) as listener:
        threading.Thread(target=_pass_on, args=(listener, port), daemon=True).start()
        host, own_port = listener.getsockname()
        yield host, own_port
        listener.shutdown(socket.SHUT_RDWR)


def _pass_on(listener: socket.socket, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            backend = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=_ask, args=(client, backend), daemon=True).start()
            threading.Thread(target=_ask, args=(backend, client), daemon=True).start()


def _serve(listener: socket.socket, made: Cutter) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            try:
                backend = socket.create_connection(("127.0.0.1", made.behind))
            except ConnectionRefusedError:  # the server is down, and may come back
                client.close()
                continue
            threading.Thread(target=_ask, args=(client, backend), daemon=True).start()
            threading.Thread(target=_answer, args=(backend, client, made), daemon=True).start()


def _ask(client: socket.socket, backend: socket.socket) -> None:
    with backend, suppress(OSError):
        while piece := client.recv(65536):
            backend.sendall(piece)


def _answer(backend: socket.socket, client: socket.socket, made: Cutter) -> None:
    with client, suppress(OSError), backend.makefile("rb") as messages:
        while head := messages.read(5):
            body = messages.read(int.from_bytes(head[1:], "big") - 4)
            if made.is_armed and head[:1] == b"C" and body == _COMMITTED:
                made.cuts += 1
                client.shutdown(socket.SHUT_RDWR)
                backend.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(head + body)
