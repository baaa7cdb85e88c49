"""What a pooler may look like from outside: another backend's name at login, or a hasty refusal."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def pooler(port: int) -> Iterator[int]:
    """A stand-in for a pooler, in front of the server on this port; gives its own port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, port), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, port: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        backend = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=_carry, args=(client, backend), daemon=True).start()
        threading.Thread(target=_carry_renamed, args=(backend, client), daemon=True).start()


def _carry(source: socket.socket, drain: socket.socket) -> None:
    with drain, suppress(OSError):
        while piece := source.recv(65536):
            drain.sendall(piece)


def _carry_renamed(backend: socket.socket, client: socket.socket) -> None:
    """Carry whole messages, with another process id in BackendKeyData."""
    with client, suppress(OSError), backend.makefile("rb") as messages:
        while head := messages.read(5):
            body = messages.read(int.from_bytes(head[1:], "big") - 4)
            client.sendall(head + (b"\0\0\1\1" + body[4:] if head[:1] == b"K" else body))


@contextmanager
def hasty_server() -> Iterator[int]:
    """A stand-in that answers every startup with `28P01`; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_refuse, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _refuse(listener: socket.socket) -> None:
    fields = b"SFATAL\0VFATAL\0C28P01\0Mno\0\0"
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client:
                client.recv(65536)
                client.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
