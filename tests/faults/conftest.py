"""What crash tests start their processes with."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
import pytest
from asking import attempt, free_port, listens
from crash_toy import crash_toy
from failpoints import Failpoint
from forkserver import ForkServer, Life

from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually
from tailrace_testing.tokens import TestIssuer

Run = Callable[..., AbstractAsyncContextManager[tuple[Life, httpx2.AsyncClient]]]


@pytest.fixture(scope="session")
def forkserver() -> Iterator[ForkServer]:
    with ForkServer() as forkserver:
        yield forkserver


@pytest.fixture(scope="session")
async def keys_url(issuer: TestIssuer) -> AsyncIterator[str]:
    """Where processes fetch the keys that the test run signs with."""
    body = json.dumps(issuer.keys.as_dict(private=False)).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head % len(body) + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(crash_toy)


@pytest.fixture
def running(forkserver: ForkServer, keys_url: str, toy: Harness) -> Run:
    """`async with running(*points) as (life, client)`: the crash toy as a process that accepts connections, and has the keys to tokens."""

    @asynccontextmanager
    async def run(*points: Failpoint) -> AsyncIterator[tuple[Life, httpx2.AsyncClient]]:
        port = free_port()
        settings: dict[str, Any] = {
            "database_url": toy.settings.database_url,
            "jwks_url": keys_url,
            "log_level": "ERROR",
        }
        settings |= {"errands_allow": toy.settings.errands_allow, "errand_grace": 1.0, "storage": toy.settings.storage}
        life = forkserver.start("serve", points, service="crash_toy", settings=settings, port=port)
        address = f"http://127.0.0.1:{port}"
        limits = httpx2.Limits(max_connections=300)
        headers = {"Authorization": f"Bearer {toy.token()}"}
        try:
            await listens(port)
            async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=60, limits=limits) as client:
                # A process that is new to a busy machine may be late with them, and answer 503; a refused token comes to no transaction.
                refused = {"Authorization": f"Bearer {toy.token('')}"}
                await eventually(
                    lambda: attempt(client.get("/v1/labels", headers=refused)),
                    lambda answer: answer is None or answer.status_code == 403,  # one that a timer ends is gone by then
                )
                yield life, client
        finally:
            await life.kill()

    return run
