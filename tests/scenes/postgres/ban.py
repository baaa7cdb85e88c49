"""An extension that bans a role after one wrong login: in front of a real server, as credcheck does it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from scenes.postgres.front import carry, framed, in_front_of, messages_of, startup_of

_BANNED = b"SFATAL\0VFATAL\0CXX000\0Mrejecting connection, the user has been banned\0\0"
_AUTHENTICATED = b"\0\0\0\0"


@dataclass
class Bouncer:
    """Counts wrong logins, and refuses whoever made one after the password was proved."""

    port: int = 0
    wrong: list[str] = field(default_factory=list)
    """The roles of the wrong logins, in order."""
    banned: set[str] = field(default_factory=set)
    _who: dict[socket.socket, str] = field(default_factory=dict)
    """Whose connection to the server it is."""

    def lift(self) -> None:
        """An administrator lets everybody in again."""
        self.banned.clear()

    def ask(self, client: socket.socket, server: socket.socket) -> None:
        """What the client says; who it is stands in its first message."""
        with server, suppress(OSError):
            startup = startup_of(client)
            words = startup[4:].split(b"\0")
            self._who[server] = words[words.index(b"user") + 1].decode()
            server.sendall(framed(startup))
            carry(client, server)

    def answer(self, server: socket.socket, client: socket.socket) -> None:
        """What the server says; the message that says "authenticated" is where the extension looks."""
        with client, suppress(OSError):
            for kind, body in messages_of(server):
                role = self._who[server]
                if kind == b"E" and b"\0C28P01\0" in body:
                    self.wrong.append(role)
                    self.banned.add(role)
                if kind == b"R" and body == _AUTHENTICATED and role in self.banned:
                    client.sendall(framed(_BANNED, b"E"))
                    server.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(framed(body, kind))


@contextmanager
def bouncer(port: int) -> Iterator[Bouncer]:
    """Stand in front of the server on this port; plain connections only."""
    made = Bouncer()
    with in_front_of(port, made.ask, made.answer) as made.port:
        yield made
