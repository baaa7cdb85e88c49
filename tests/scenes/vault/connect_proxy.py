"""An HTTP proxy as companies have them: `CONNECT` and nothing else, all of it leading to one server here."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_CHUNK = 65_536


@dataclass
class ConnectProxy:
    """Whoever asks for any host gets a tunnel to `port`."""

    port: int
    """Of the server behind it."""
    asked_for: list[str] = field(default_factory=list)
    """What each tunnel was to lead to."""
    url: str = ""

    def serve(self, listener: socket.socket) -> None:
        """Until the listener is closed."""
        while True:
            try:
                guest, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(guest,), daemon=True).start()

    def _tunnel(self, guest: socket.socket) -> None:
        with guest, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = guest.recv(_CHUNK)
                if not piece:
                    return
                head += piece
            method, target, _ = head.split(b" ", 2)
            self.asked_for.append(f"{method.decode()} {target.decode()}")
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                guest.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, guest), daemon=True)
                back.start()
                _pump(guest, server)
                back.join()


def _pump(here: socket.socket, there: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := here.recv(_CHUNK):
            there.sendall(piece)
    with contextlib.suppress(OSError):
        there.shutdown(socket.SHUT_WR)


@contextmanager
def connect_proxy(port: int) -> Iterator[ConnectProxy]:
    """Ended with the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = ConnectProxy(port, url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        serving = threading.Thread(target=proxy.serve, args=(listener,), daemon=True)
        serving.start()
        yield proxy
        listener.shutdown(socket.SHUT_RDWR)
    serving.join()
