"""How tests reach a process that may be gone by the time it should answer."""

import asyncio
import socket
import time
from collections.abc import Awaitable

import httpx2


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def listens(port: int, within: float = 90) -> None:
    """Returns when somebody accepts connections there; asks for nothing, so that no point is passed."""
    deadline = time.monotonic() + within
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, f"nobody listened within {within:g} s"
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


async def attempt(asking: Awaitable[httpx2.Response]) -> httpx2.Response | None:
    """The answer, or None when the connection broke before it came."""
    try:
        return await asking
    except httpx2.TransportError:
        return None
