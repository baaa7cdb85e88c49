"""A connection as the agent's loop sees it: never blocks, keeps what could not be sent yet."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable

from bitwarden_vault.wire import CHUNK, BrokenFrame, Message, Unpacker, pack


class Connection:
    """One non-blocking, framed connection, registered with the loop's selector."""

    def __init__(
        self,
        sock: socket.socket,
        selector: selectors.BaseSelector,
        *,
        on_message: Callable[[Message], None],
        on_end: Callable[[], None],
    ) -> None:
        sock.settimeout(0)
        self.sock = sock
        self.is_open = True
        self._selector = selector
        self._unpacker = Unpacker()
        self._unsent = bytearray()
        self._on_message, self._on_end = on_message, on_end
        self._awaited = selectors.EVENT_READ
        selector.register(sock, self._awaited, self.turn)

    def send(self, message: Message) -> bool:
        """Send now or as soon as it can be; False when the other end is gone."""
        if not self.is_open:
            return False
        self._unsent += pack(message)
        self._flush()
        return self.is_open

    @property
    def has_unsent(self) -> bool:
        """Something still waits to be taken by the other end."""
        return self.is_open and bool(self._unsent)

    def turn(self, events: int) -> None:
        """The selector says that something can be done."""
        if events & selectors.EVENT_WRITE:
            self._flush()
        if self.is_open and events & selectors.EVENT_READ:
            self._read()

    def close(self) -> None:
        """End it without telling anybody."""
        if self.is_open:
            self.is_open = False
            self._selector.unregister(self.sock)
            self.sock.close()

    def _read(self) -> None:
        try:
            piece = self.sock.recv(CHUNK)
            messages = self._unpacker.feed(piece)
        except BlockingIOError:
            return
        except (OSError, BrokenFrame):
            piece, messages = b"", []
        for message in messages:
            if self.is_open:
                self._on_message(message)
        if not piece:
            self._end()

    def _flush(self) -> None:
        try:
            while self._unsent:
                sent = self.sock.send(self._unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._end()
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
        if wanted != self._awaited:
            self._selector.modify(self.sock, wanted, self.turn)
            self._awaited = wanted

    def _end(self) -> None:
        if self.is_open:
            self.close()
            self._on_end()
