"""Who is refused while it still sends reads why (RFC 9112, section 9.6), and holds no connection by it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from tailrace.core.errors import TooLarge
from tailrace.http.protocol import problem_details, uvicorn_protocol
from tailrace.http.protocol.middleware import RequestId
from tailrace.runtime.process import http_config
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace_testing.late_reader import read_late

Start = Callable[..., Coroutine[Any, Any, int]]
_PIECES = [b"x" * 65_536] * 32


def _post(path: str, *headers: str, length: int | None = None) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", framing, *headers, "\r\n"]).encode()


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a server whose every path refuses without a look at the body; returns its port."""
    app = FastAPI()
    problem_details.install(app)
    app.add_middleware(RequestId)

    @app.post("/too-large")
    async def too_large(request: Request) -> None:
        raise TooLarge(1000)

    @app.post("/no")
    async def no(request: Request) -> Response:
        return Response(b"no", 404)

    @app.post("/whole")
    async def whole(request: Request) -> int:
        return len(await request.body())

    running: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []

    async def begin(*, keep_alive: float = 300, **settings: Any) -> int:
        config = http_config(Service(name="any"), app, "127.0.0.1", 0, Settings(**settings))
        config.timeout_keep_alive = keep_alive  # type: ignore[assignment]
        server = uvicorn.Server(config)
        running.append((server, asyncio.create_task(server._serve())))
        while not server.started:  # noqa: ASYNC110  (uvicorn offers a flag, not an event)
            await asyncio.sleep(0.005)
        port: int = server.servers[0].sockets[0].getsockname()[1]
        return port

    yield begin
    for server, serving in running:
        server.should_exit = True
        await serving


REFUSED: dict[str, tuple[bytes, int]] = {
    "as too large": (_post("/too-large", length=2**21), 413),
    "in its own last request": (_post("/no", "Connection: close", length=2**21), 404),
    "in chunks": (_post("/too-large") + b"10000\r\n", 413),
    "for a chunk that is none": (_post("/whole") + b"zz\r\n", 400),
    "for a head that is too large": (_post("/whole", f"X-A: {'a' * 600_000}", length=2), 431),
    "for a target that is too long": (_post(f"/whole?{'a' * 600_000}", length=2), 414),
    "for no HTTP": (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
}


@pytest.mark.parametrize(("first", "status"), REFUSED.values(), ids=REFUSED.keys())
async def test_who_is_refused_while_it_sends_reads_the_answer(start: Start, first: bytes, status: int) -> None:
    port = await start()
    answer = await asyncio.to_thread(read_late, port, first, _PIECES)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"\r\nconnection: close" in head.lower()
    assert status == 404 or json.loads(body)["status"] == status


async def test_who_comes_when_there_are_too_many_reads_so(start: Start) -> None:
    port = await start(connections=1)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = await asyncio.to_thread(read_late, port, _post("/whole", length=2**21), _PIECES)
    assert answer.startswith(b"HTTP/1.1 503 "), answer
    writer.close()


async def test_a_connection_is_good_for_more_once_the_rest_of_a_refused_body_came(start: Start) -> None:
    port = await start(keep_alive=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(300):
        writer.write(_post("/no", length=200_000))
        assert (await reader.readuntil(b"\r\n\r\nno")).startswith(b"HTTP/1.1 404 ")
        writer.write(b"x" * 200_000 + _post("/whole", length=3) + b"abc")
        assert (await reader.readuntil(b"\r\n\r\n3")).startswith(b"HTTP/1.1 200 ")
        writer.write(_post("/no", length=10))
        await reader.readuntil(b"\r\n\r\nno")
        writer.write(b"x" * 10)
        # It is idle from here on, and as all idle ones it is not kept for ever.
        assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("path", ["/too-large", "/no"])
async def test_a_rest_that_trickles_is_not_waited_for(start: Start, path: str) -> None:
    port = await start(head_timeout=0.3)

    def drops() -> Iterator[bytes]:
        for _ in range(15_000):
            time.sleep(0.02)
            yield b"x"

    with pytest.raises(ConnectionError):
        await asyncio.to_thread(read_late, port, _post(path, length=10_000_000), drops())


@pytest.mark.parametrize("path", ["/too-large", "/no"])
async def test_no_more_of_a_rest_is_taken_than_there_is_reason_to(
    start: Start, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn_protocol, "READ_ON", 500_000)
    port = await start(head_timeout=300)
    with pytest.raises(ConnectionError):
        await asyncio.to_thread(read_late, port, _post(path, length=10**12), [b"x" * 65_536] * 10_000)


async def test_who_announces_more_than_is_read_on_is_told_that_the_connection_ends(start: Start) -> None:
    port = await start()
    for length, ends in ((uvicorn_protocol.READ_ON, False), (uvicorn_protocol.READ_ON + 1, True)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_post("/no", length=length))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 300)
        assert (b"connection: close" in head.lower()) is ends
        writer.close()


async def test_a_head_that_names_every_event_of_a_long_document_is_taken_in_pieces(start: Start) -> None:
    port = await start()
    head = _post("/whole", f"Tailrace-After: {'x' * 32_000}", length=2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in (head[:20_000], head[20_000:] + b"ab"):
        writer.write(piece)
        # The answer to another one says that what was sent before it has been read.
        await asyncio.to_thread(read_late, port, _post("/whole", "Connection: close", length=0), [])
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 300)).startswith(b"HTTP/1.1 200 ")
    writer.close()
