"""A request that was begun on the fast path and goes on by the ASGI path, from where it was left: nothing is checked, charged or asked twice."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, Self
from uuid import UUID

import aiohttp
import structlog

from gateway.admission import Charged
from tailrace.core.errors import Problem
from tailrace.core.manifest import Route
from tailrace.core.retries.breaker import Breaker
from tailrace.http.protocol.admission import TAKEN_ON
from tailrace.http.protocol.middleware import BEGAN

BEGUN = "begun"
"""In a request's state."""


class Incoming(AbstractAsyncContextManager[Any], Protocol):
    """An answer whose head is here: `aiohttp.ClientResponse`, as far as it is passed on."""

    content: aiohttp.StreamReader

    @property
    def status(self) -> int: ...
    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]: ...
    @property
    def content_length(self) -> int | None: ...
    async def __aenter__(self) -> Self: ...
    async def read(self) -> bytes: ...


class Coming(Protocol):
    """An answer of which something is here."""

    async def head(self) -> Incoming:
        """Raises ClientError or HttpProcessingError for what is no answer, and UpstreamLate."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Begun:
    """How far it came. `problem` refuses it: at the door if it was not `charged`, before it was one of those under way if it was not `entered`, and
    after its service was asked otherwise. Without one, and without an answer that is `coming`, its service is asked, once more."""

    route: Route
    request_id: UUID
    began: float
    charged: Charged | None = None
    entered: bool = False
    taken_on: bool = False
    problem: Problem | None = None
    coming: Coming | None = None
    broken: Problem | None = None
    """What to say when the answer that is coming cannot be read; None: ask again."""

    def state(self) -> dict[str, Any]:
        """What its request has in its state when it comes to the ASGI path."""
        return {BEGUN: self, BEGAN: self.began, TAKEN_ON: self.taken_on, "correlation_id": self.request_id}

    def admitted(self) -> Charged:
        """Raises what it was refused for at the door."""
        if self.charged is None:
            assert self.problem is not None
            raise self.problem
        structlog.contextvars.bind_contextvars(upstream=self.route.service, tenant=str(self.charged.key))
        return self.charged

    @contextmanager
    def held(self) -> Iterator[None]:
        """It is one of those under way, until the end of the block. Raises TooManyAtOnce."""
        assert self.charged is not None
        if not self.entered:
            assert self.problem is not None
            raise self.problem
        try:
            yield
        finally:
            self.charged.in_flight.leave(self.charged.key)
            if self.coming is not None:
                self.coming.close()

    async def answer(self, breaker: Breaker) -> Incoming | None:
        """What the service answers; None when it is to be asked. Raises what became of the request."""
        if self.problem is not None:
            raise self.problem
        if self.coming is None:
            await asyncio.sleep(PAUSE)
            return None
        try:
            answer = await self.coming.head()
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError) as error:
            breaker.failed()
            if self.broken is not None:
                raise self.broken from error
            return None
        breaker.succeeded()
        return answer


PAUSE = 0.05
"""Seconds before a service is asked once more."""
