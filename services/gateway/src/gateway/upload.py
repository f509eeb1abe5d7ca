"""A request body on its way through: counted as it streams, never held whole, and the client's slowness never charged to the service."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Receive

from tailrace.core.errors import Problem, RequestTimeout, TooLarge

_CLIENT_PAUSE = 10.0


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
    """The body of one request. `failure` says why it broke off, since the HTTP client reports only that it did.

    `begun` means that part of it was read and it cannot be sent again.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self.begun = False
        self.failure: Problem | ClientGone | None = None

    async def chunks(self, clock: ServiceClock) -> AsyncIterator[bytes]:
        """Raises what it leaves in `failure`."""
        self.begun = True
        seen, more = 0, True
        while more:
            clock.stand_still()
            chunk, more = await self._next()
            clock.start_over()
            seen += len(chunk)
            if seen > self._limit:
                raise self._failed(TooLarge(self._limit))
            if chunk:
                yield chunk

    async def _next(self) -> tuple[bytes, bool]:
        try:
            async with asyncio.timeout(_CLIENT_PAUSE):
                message = await self._receive()
        except TimeoutError as error:
            raise self._failed(RequestTimeout(f"Nothing more came for {_CLIENT_PAUSE:g} s.")) from error
        if message["type"] == "http.disconnect":
            raise self._failed(ClientGone())
        return message.get("body", b""), message.get("more_body", False)

    def _failed(self, failure: Problem | ClientGone) -> Problem | ClientGone:
        self.failure = failure
        return failure
