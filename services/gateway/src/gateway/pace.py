"""How slow a client may be: a pause is short, and on average it sends, or takes, so many bytes a second. Only the time that it is awaited counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Pace:
    """At least `rate` bytes a second after the first `grace` seconds, and no pause longer than those. For one direction of one request."""

    def __init__(self, grace: float, rate: int) -> None:
        self._grace = grace
        self._rate = rate
        self._moved = 0
        self._waited = 0.0

    @asynccontextmanager
    async def of_client(self) -> AsyncIterator[None]:
        """Around a wait for the client. Raises TimeoutError when it was too slow."""
        left = self._grace + self._moved / self._rate - self._waited
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(min(left, self._grace)):
                yield
        finally:
            self._waited += clock() - began

    def moved(self, size: int) -> None:
        """So many bytes more came, or were taken."""
        self._moved += size
