"""How tests reach a process that may be gone by the time it should answer."""

import asyncio
import socket
import time
from collections.abc import Awaitable

import httpx2

_kept: list[socket.socket] = []


def free_port() -> int:
    """For one process to listen on; nobody else is given it until the run ends, not even for a connection of its own."""
    # Bound and never listened on. Linux lets another socket listen there when both say SO_REUSEADDR, as servers do.
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    _kept.append(keeper)
    port: int = keeper.getsockname()[1]
    return port


async def listens(port: int, within: float = 300) -> None:
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
