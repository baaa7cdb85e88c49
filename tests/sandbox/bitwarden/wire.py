"""HTTP/1.1 over TLS by h11, thin enough to drop, cut or hold a connection at will."""

import asyncio
from collections.abc import Awaitable, Callable

import h11

from sandbox.bitwarden.messages import Reply, Request

Respond = Callable[[Request, str], Awaitable[Reply]]
_CHUNK = 65_536


class Wire:
    """One client connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, respond: Respond) -> None:
        self._reader = reader
        self._writer = writer
        self._respond = respond
        self._http = h11.Connection(h11.SERVER)

    async def serve(self) -> None:
        """Answer request after request until either side ends it."""
        try:
            while request := await self._next_request():
                reply = await self._respond(request, self._writer.get_extra_info("peername")[0])
                if not await self._deliver(reply):
                    break
        except (h11.RemoteProtocolError, OSError):
            pass  # the client is gone or no HTTP client at all
        finally:
            self._writer.transport.abort()

    async def _next_request(self) -> Request | None:
        head: h11.Request | None = None
        body = b""
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _request(head, body)
            else:
                return None

    async def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
            self._http.receive_data(await self._reader.read(_CHUNK))
        return event

    async def _deliver(self, reply: Reply) -> bool:
        """Send what the reply says; False ends the connection."""
        if reply.delivery == "drop":
            return False
        if reply.delivery == "hang":
            while await self._reader.read(_CHUNK):
                pass
            return False
        await self._write(self._encode(reply))
        if reply.delivery == "cut" or self._http.our_state is h11.MUST_CLOSE:
            self._writer.close()
            await self._writer.wait_closed()
            return False
        self._http.start_next_cycle()
        return True

    def _encode(self, reply: Reply) -> bytes:
        headers = [("Content-Length", str(len(reply.body))), *reply.headers]
        if reply.body:
            headers.append(("Content-Type", reply.content_type))
        encoded = self._http.send(h11.Response(status_code=reply.status, headers=headers)) or b""
        if reply.delivery == "cut":
            return encoded + reply.body[: len(reply.body) // 2]
        encoded += self._http.send(h11.Data(data=reply.body)) or b""
        return encoded + (self._http.send(h11.EndOfMessage()) or b"")

    async def _write(self, raw: bytes | None) -> None:
        self._writer.write(raw or b"")
        await self._writer.drain()


def _request(head: h11.Request, body: bytes) -> Request:
    path, _, query = head.target.decode("latin-1").partition("?")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    return Request(head.method.decode("latin-1"), path, query, headers, body)
