"""What a pooler may look like from outside: another backend's name at login, or a hasty refusal."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from scenes.postgres.front import carry, carry_renamed, framed, in_front_of


@contextmanager
def pooler(port: int) -> Iterator[int]:
    """A stand-in for a pooler, in front of the server on this port; gives its own port."""
    with in_front_of(port, carry, carry_renamed) as own_port:
        yield own_port


@contextmanager
def hasty_server() -> Iterator[int]:
    """A stand-in that answers every startup with `28P01`; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_refuse, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _refuse(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client:
                client.recv(65536)
                client.sendall(framed(b"SFATAL\0VFATAL\0C28P01\0Mno\0\0", b"E"))
