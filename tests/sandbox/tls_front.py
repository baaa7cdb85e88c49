"""TLS for a PostgreSQL built without: `python -m sandbox.tls_front CERTIFICATE PORT BACKEND_PORT`.

It speaks the first exchange of PostgreSQL's protocol (SSLRequest, answered 'S'), then copies bytes. With
`--refuse-plain` a client that asks for no TLS is refused as `hostssl` lines in pg_hba.conf would refuse it.
"""

import argparse
import asyncio
import contextlib
import socket
import ssl
import struct

_SSL_REQUEST = struct.pack("!I", 80877103)
_GSSENC_REQUEST = struct.pack("!I", 80877104)
_CANCEL_REQUEST = struct.pack("!I", 80877102)
_CHUNK = 64 * 1024


class Front:
    """Accepts on one port, and forwards to the other."""

    def __init__(self, certificate_file: str, backend_port: int, *, refuse_plain: bool) -> None:
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate_file)
        self._backend_port = backend_port
        self._refuse_plain = refuse_plain
        self._open: set[asyncio.Future[None]] = set()

    async def serve(self, port: int) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", port), backlog=512) as listening:
            listening.settimeout(0)
            while True:
                client, _ = await loop.sock_accept(listening)
                task = asyncio.ensure_future(self._serve_one(client))
                self._open.add(task)
                task.add_done_callback(self._open.discard)

    async def _serve_one(self, client: socket.socket) -> None:
        client.settimeout(0)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, contextlib.suppress(OSError, EOFError, ssl.SSLError):
            first, encrypted = await self._opening(client)
            if encrypted or first[4:] == _CANCEL_REQUEST or not self._refuse_plain:
                await self._forward(first, *await self._streams(client, encrypted=encrypted))
            else:
                await asyncio.get_running_loop().sock_sendall(client, _refusal())

    async def _opening(self, client: socket.socket) -> tuple[bytes, bool]:
        """The bytes that the backend has to be told, and whether the client goes on with TLS."""
        loop = asyncio.get_running_loop()
        first = await _eight_bytes(client)
        if first[4:] == _GSSENC_REQUEST:
            await loop.sock_sendall(client, b"N")
            first = await _eight_bytes(client)
        if first[4:] == _SSL_REQUEST:
            await loop.sock_sendall(client, b"S")
            return b"", True
        return first, False

    async def _streams(
        self, client: socket.socket, *, encrypted: bool
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, client, ssl=self._tls if encrypted else None
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def _forward(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._backend_port)
        there_writer.write(first)
        copies = [
            asyncio.ensure_future(_copy(reader, there_writer)),
            asyncio.ensure_future(_copy(there_reader, writer)),
        ]
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        for side in (there_writer, writer):
            side.close()
        await asyncio.gather(*copies, return_exceptions=True)


async def _eight_bytes(client: socket.socket) -> bytes:
    got = b""
    while len(got) < 8:  # length and code, four bytes each
        more = await asyncio.get_running_loop().sock_recv(client, 8 - len(got))
        if not more:
            raise EOFError
        got += more
    return got


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()


def _refusal() -> bytes:
    fields = (b"SFATAL", b"VFATAL", b"C28000", b"Mno pg_hba.conf entry for this client, no encryption")
    body = b"".join(field + b"\0" for field in fields) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("certificate_file")
    parser.add_argument("port", type=int)
    parser.add_argument("backend_port", type=int)
    parser.add_argument("--refuse-plain", action="store_true")
    wanted = parser.parse_args()
    front = Front(wanted.certificate_file, wanted.backend_port, refuse_plain=wanted.refuse_plain)
    asyncio.run(front.serve(wanted.port))
