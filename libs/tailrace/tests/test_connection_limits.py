"""A client that dawdles, or opens connection after connection, is refused; everybody else is served meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from tailrace.runtime.process import http_config
from tailrace.service import Service
from tailrace.settings import Settings

REQUEST = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server that waits half a second for a head and holds three connections."""
    app = FastAPI()

    @app.get("/health")
    async def health() -> str:
        return "well"

    settings = Settings(head_timeout=0.5, connections=3)
    server = uvicorn.Server(http_config(Service(name="any"), app, "127.0.0.1", 0, settings))
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn offers a flag, not an event)
        await asyncio.sleep(0.005)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def _connect(port: int) -> Any:
    return await asyncio.open_connection("127.0.0.1", port)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    async with asyncio.timeout(300):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(head.split()[1]), await reader.readexactly(length)


async def _ended(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection ends. It may end as a reset, where more was on its way to the server."""
    async with asyncio.timeout(300):
        with suppress(ConnectionResetError):
            return await reader.read()
    return b""


async def test_a_head_that_trickles_is_given_up_also_on_a_connection_that_was_good(port: int) -> None:
    reader, writer = await _connect(port)
    for _ in range(2):
        writer.write(REQUEST)
        assert await _answer(reader) == (200, b'"well"')

    async def trickle() -> None:
        for byte in REQUEST + b"x" * 10_000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    trickling = asyncio.create_task(trickle())
    status, body = await _answer(reader)
    assert (status, json.loads(body)["type"]) == (408, "urn:tailrace:problem:request-timeout")
    assert await _ended(reader) == b""
    trickling.cancel()
    writer.close()


async def test_a_connection_on_which_nothing_arrives_is_closed(port: int) -> None:
    reader, writer = await _connect(port)
    assert await _ended(reader) == b""
    writer.close()


async def test_connections_beyond_the_limit_are_refused_until_others_end(port: int) -> None:
    held = [await _connect(port) for _ in range(3)]
    for reader, writer in held:
        writer.write(REQUEST)
        assert (await _answer(reader))[0] == 200
    reader, writer = await _connect(port)
    status, body = await _answer(reader)
    assert (status, json.loads(body)["type"]) == (503, "urn:tailrace:problem:unavailable")
    assert await _ended(reader) == b""
    held[0][1].write(REQUEST)
    assert (await _answer(held[0][0]))[0] == 200
    held[1][1].close()
    await held[1][1].wait_closed()
    async with asyncio.timeout(300):
        status = 503
        while status == 503:
            reader, another = await _connect(port)
            another.write(REQUEST)
            status, _ = await _answer(reader)
            another.close()
    assert status == 200
    for _, each in [held[0], held[2], (reader, writer)]:
        each.close()
