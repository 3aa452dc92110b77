"""The relay between the host's loopback interface and the node's."""

from __future__ import annotations

import asyncio
import socket

from local.node.relay import serve
from local.processes import free_port


async def _shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers once the other side has said all, as HTTP/1.0 does."""
    writer.write((await reader.read()).upper())
    await writer.drain()
    writer.close()


async def _ask(listener: socket.socket, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(text)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def _through(text: bytes, *, behind: bool, times: int = 1) -> list[bytes]:
    port = free_port()
    server = await asyncio.start_server(_shout, "127.0.0.1", port) if behind else None
    listener = socket.create_server(("127.0.0.1", 0))
    relay = asyncio.create_task(serve(listener, port))
    try:
        return list(await asyncio.gather(*(_ask(listener, text) for _ in range(times))))
    finally:
        relay.cancel()
        if server:
            server.close()


def test_both_directions_pass_and_the_end_of_each() -> None:
    text = b"a" * 300_000
    assert asyncio.run(_through(text, behind=True, times=5)) == [text.upper()] * 5


def test_a_connection_is_closed_when_there_is_no_api_server() -> None:
    assert asyncio.run(_through(b"hello", behind=False)) == [b""]
