"""Messages between client, agent and worker: JSON behind a four-byte length.

Rules this file keeps:
- A message longer than `LIMIT` is refused, so that a wrong peer cannot make us take memory.
- `Channel` blocks (client, worker); the agent feeds an `Unpacker` from its event loop.
"""

from __future__ import annotations

import _socket  # `socket` costs a worker 3 ms
import json
import struct
from collections import deque
from collections.abc import Mapping

from bitwarden_vault.untyped import Any

PROTOCOL = 1
"""Part of the socket's name: a newer client never meets an older agent."""
LIMIT = 256 * 1024 * 1024
_LENGTH = struct.Struct("!I")
_ENCODER = json.JSONEncoder(separators=(",", ":"))
CHUNK = 32_768
"""Bytes that are read at once: more would be mapped, and overwritten, for each message of a few hundred."""

Message = dict[str, Any]


class BrokenFrame(Exception):
    """What came in is not one of our messages."""


def pack(message: Mapping[str, Any]) -> bytes:
    """The message as it travels."""
    body = _ENCODER.encode(message).encode()
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Puts messages together from whatever pieces arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> list[Message]:
        """The messages that this piece completes. Raises: BrokenFrame."""
        self._buffer += piece
        messages: list[Message] = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > LIMIT:
                raise BrokenFrame("message too long")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            try:
                message = json.loads(self._buffer[_LENGTH.size : end].decode())
            except (ValueError, RecursionError):
                raise BrokenFrame("not JSON") from None  # the cause would quote the message
            if not isinstance(message, dict):
                raise BrokenFrame("not an object")
            messages.append(message)
            del self._buffer[:end]
        return messages


class Channel:
    """One blocking end of a connection."""

    def __init__(self, sock: _socket.socket) -> None:
        self.sock = sock
        self._unpacker = Unpacker()
        self._ready: deque[Message] = deque()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send all of it. Raises: OSError (timeouts included)."""
        self.sock.sendall(pack(message))

    def receive(self) -> Message | None:
        """The next message; None when the other end is gone. Raises: OSError, BrokenFrame."""
        while not self._ready:
            try:
                piece = self.sock.recv(CHUNK)
            except ConnectionResetError:
                return None
            if not piece:
                return None
            self._ready.extend(self._unpacker.feed(piece))
        return self._ready.popleft()
