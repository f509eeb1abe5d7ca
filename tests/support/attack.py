"""Clients that take up what all share: each of many connections begins a request, sends no more of it, and comes again when it is told off."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

ELSEWHERE = "127.0.0.66"
"""The address that they come from, which no other client has."""
_PAUSE = 1.0


def begun(path: str, token: str | None = None, length: int = 100) -> bytes:
    """The head of a POST with a body of so many bytes, and the first of them."""
    head = [f"POST {path} HTTP/1.1", "Host: h", f"Content-Length: {length}", "Content-Type: application/json"]
    if token is not None:
        head += [f"Authorization: Bearer {token}", "Idempotency-Key: never"]
    return "\r\n".join([*head, "", "{"]).encode()


class Attack:
    """`async with Attack(url, request, count)`: from the moment that it is entered, all of them hold on. `told` counts the answers by status."""

    def __init__(self, url: str, request: bytes, count: int) -> None:
        self._at = urlsplit(url)
        self._request = request
        self._count = count
        self._all = asyncio.Event()
        self.held = 0
        self.told: Counter[int] = Counter()

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._hold_on()) for _ in range(self._count)]
        async with asyncio.timeout(300):
            await self._all.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _hold_on(self) -> None:
        while True:
            with suppress(OSError):
                await self._once()
            await asyncio.sleep(_PAUSE)

    async def _once(self) -> None:
        reader, writer = await asyncio.open_connection(self._at.hostname, self._at.port, local_addr=(ELSEWHERE, 0))
        try:
            writer.write(self._request)
            await writer.drain()
            self.held += 1
            if self.held == self._count:
                self._all.set()
            try:
                line = await reader.readline()
            finally:
                self.held -= 1
            self.told[int(line.split()[1]) if line else 0] += 1
        finally:
            writer.close()
