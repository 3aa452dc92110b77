"""Makes the API server reachable on the host: ``python -m local.node.relay <process in the node's network> <port>``.

The API server runs in the node's network namespace, in which kubelet and pods are reachable. This process listens on the
same port of the host's loopback interface and forwards each connection; no network device of the host is created or
changed.
"""

from __future__ import annotations

import asyncio
import socket
import sys

from . import kernel

_CHUNK = 65536


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:  # the other side has closed
        writer.close()


async def serve(listener: socket.socket, port: int) -> None:
    """Forwards connections until it is cancelled; its own connections belong to this process's network."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except OSError:  # the API server is starting
            writer.close()
            return
        await asyncio.gather(_copy(reader, back), _copy(there, writer))
        for end in (writer, back):
            end.close()

    server = await asyncio.start_server(one, sock=listener)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Opens the listening socket in the host's network, and then moves to the node's."""
    process, port = int(sys.argv[1]), int(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    kernel.enter_network(process)
    asyncio.run(serve(listener, port))


if __name__ == "__main__":
    main()
