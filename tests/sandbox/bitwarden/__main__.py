"""The server process: `python -m sandbox.bitwarden ORGANIZATION_ID CERTIFICATE_FILE`.

Says on stdout which port it took, then obeys one control line after the other, and ends when stdin does:
whoever started it is gone then, however that happened.
"""

import asyncio
import json
import ssl
import sys

from sandbox.bitwarden.control import Control
from sandbox.bitwarden.service import Service
from sandbox.bitwarden.wire import Wire

_LONGEST_LINE = 64 * 1024 * 1024


async def serve(organization_id: str, certificate_file: str) -> None:
    """Serve until stdin ends."""
    service = Service(organization_id)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate_file)

    broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Wire(reader, writer, service.respond).serve()
        except Exception as error:  # noqa: BLE001  # a mistake of ours must not pass for a broken connection
            if not broken.done():
                broken.set_exception(error)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls, backlog=1024)
    stdin, stdout = await _pipes()
    stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}).encode() + b"\n")
    obeying = asyncio.ensure_future(_obey(Control(service), stdin, stdout))
    await asyncio.wait([obeying, broken], return_when=asyncio.FIRST_COMPLETED)
    server.close()
    for ended in (obeying, broken):
        if ended.done():
            ended.result()


async def _obey(control: Control, stdin: asyncio.StreamReader, stdout: asyncio.StreamWriter) -> None:
    while line := await stdin.readline():
        stdout.write(control.obey(line))
        await stdout.drain()


async def _pipes() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
