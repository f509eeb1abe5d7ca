"""A request body on its way through: a small one is read whole before anything that others need is taken for it, a larger one is counted as it
streams, never held whole, and the client's slowness never charged to the service.
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Receive

from gateway.pace import Pace
from tailrace.core.errors import Problem, RequestTimeout, TooLarge

READ_AHEAD = 64 * 1024
"""Bytes of a body that are read before a connection to the service is taken."""


class ClientGone(Exception):
    """The client hung up before its request was complete; there is nobody to answer."""


class ServiceClock:
    """The time a service has left to answer, standing still while the client is the one that is awaited."""

    def __init__(self, timeout: asyncio.Timeout, limit: float) -> None:
        self._timeout: asyncio.Timeout | None = timeout
        self._limit = limit

    def stand_still(self) -> None:
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(None)

    def start_over(self) -> None:
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._limit)

    def stop(self) -> None:
        """The answer has begun; what is still sent up no longer counts."""
        self._timeout = None


class Upload:
    """The body of one request, of at most `limit` bytes. `failure` says why it broke off, since the HTTP client reports only that it did.

    `whole` means that all of it is here, in `length` bytes; `begun` that part of a longer one was passed on and it cannot be sent again.
    """

    def __init__(self, receive: Receive, limit: int, pace: Pace) -> None:
        self._receive = receive
        self._limit = limit
        self._pace = pace
        self._ahead = bytearray()
        self._seen = 0
        self.whole = False
        self.begun = False
        self.failure: Problem | ClientGone | None = None

    @property
    def length(self) -> int | None:
        return len(self._ahead) if self.whole else None

    @property
    def ahead(self) -> bytes:
        """What was read ahead: all of it, when it is `whole`."""
        return bytes(self._ahead)

    async def read_ahead(self, has_body: bool) -> None:
        """Read all of it, or more than `READ_AHEAD` bytes. Raises TooLarge, RequestTimeout, ClientGone."""
        self.whole = not has_body
        while not self.whole and len(self._ahead) <= READ_AHEAD:
            chunk, more = await self._next()
            self._ahead += chunk
            self.whole = not more

    async def chunks(self, clock: ServiceClock) -> AsyncIterator[bytes]:
        """Raises what it leaves in `failure`."""
        self.begun = not self.whole
        if self._ahead:
            yield bytes(self._ahead)
        if self.whole:
            return
        self._ahead.clear()
        more = True
        while more:
            clock.stand_still()
            chunk, more = await self._next()
            clock.start_over()
            if chunk:
                yield chunk

    async def _next(self) -> tuple[bytes, bool]:
        try:
            async with self._pace.of_client():
                message = await self._receive()
        except TimeoutError as error:
            raise self._failed(RequestTimeout("The body did not arrive in time.")) from error
        if message["type"] == "http.disconnect":
            raise self._failed(ClientGone())
        chunk: bytes = message.get("body", b"")
        self._pace.moved(len(chunk))
        self._seen += len(chunk)
        if self._seen > self._limit:
            raise self._failed(TooLarge(self._limit))
        return chunk, message.get("more_body", False)

    def _failed(self, failure: Problem | ClientGone) -> Problem | ClientGone:
        self.failure = failure
        return failure
