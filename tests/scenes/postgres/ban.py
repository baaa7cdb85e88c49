"""An extension that bans a role after one wrong login: in front of a real server, as credcheck does it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_BANNED = b"SFATAL\0VFATAL\0CXX000\0Mrejecting connection, the user has been banned\0\0"
_AUTHENTICATED = b"\0\0\0\0"


@dataclass
class Bouncer:
    """Counts wrong logins, and refuses whoever made one after the password was proved."""

    port: int
    behind: int
    wrong: list[str] = field(default_factory=list)
    """The roles of the wrong logins, in order."""
    banned: set[str] = field(default_factory=set)

    def lift(self) -> None:
        """An administrator lets everybody in again."""
        self.banned.clear()


@contextmanager
def bouncer(port: int) -> Iterator[Bouncer]:
    """Stand in front of the server on this port; plain connections only."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Bouncer(listener.getsockname()[1], port)
        threading.Thread(target=_serve, args=(listener, made), daemon=True).start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, made: Bouncer) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            backend = socket.create_connection(("127.0.0.1", made.behind))
            threading.Thread(target=_attend, args=(client, backend, made), daemon=True).start()


def _attend(client: socket.socket, backend: socket.socket, made: Bouncer) -> None:
    """Read who it is from the startup message, then let both sides talk."""
    with suppress(OSError):
        length = client.recv(4, socket.MSG_WAITALL)
        startup = client.recv(int.from_bytes(length, "big") - 4, socket.MSG_WAITALL)
        words = startup[4:].split(b"\0")
        role = words[words.index(b"user") + 1].decode()
        backend.sendall(length + startup)
        threading.Thread(target=_answer, args=(backend, client, role, made), daemon=True).start()
        with backend:
            while piece := client.recv(65536):
                backend.sendall(piece)


def _answer(backend: socket.socket, client: socket.socket, role: str, made: Bouncer) -> None:
    """Carry whole messages; the one that says "authenticated" is where the extension looks."""
    with client, suppress(OSError), backend.makefile("rb") as messages:
        while head := messages.read(5):
            body = messages.read(int.from_bytes(head[1:], "big") - 4)
            if head[:1] == b"E" and b"\0C28P01\0" in body:
                made.wrong.append(role)
                made.banned.add(role)
            if head[:1] == b"R" and body == _AUTHENTICATED and role in made.banned:
                client.sendall(b"E" + (len(_BANNED) + 4).to_bytes(4, "big") + _BANNED)
                backend.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(head + body)
