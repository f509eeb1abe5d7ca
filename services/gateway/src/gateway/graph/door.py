"""Where GraphQL comes in. Nothing of it is loaded before the first request: a process that never gets one pays nothing for it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from starlette.types import Receive, Scope, Send

from gateway.accesses import Accesses
from gateway.admission import Admission, Charged
from gateway.head import Head, read_head
from tailrace.core.manifest import Route

PREFIX = "/graphql"
BODY_LIMIT = 64 * 1024
"""Bytes of a request: what is read before anything that others need is taken for it."""
METHODS = ("GET", "HEAD", "POST")


class Inside(Protocol):
    """What answers a request that was let in."""

    async def __call__(self, head: Head, charged: Charged, scope: Scope, receive: Receive, send: Send) -> None: ...


class Door:
    """An ASGI application for `/graphql`. `make` makes the one that answers, off the event loop since it takes a moment."""

    def __init__(self, admission: Admission, accesses: Accesses, make: Callable[[], Inside]) -> None:
        self._admission = admission
        self._accesses = accesses
        self._make = make
        self._making = asyncio.Lock()
        self._inside: Inside | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = read_head(scope)
        route = Route(service="gateway", prefix=PREFIX, body_limit=BODY_LIMIT)
        charged = await self._admission.admit(route, head, scope)
        with self._accesses.noted(charged.principal, route, head, scope, send) as answer:
            inside = await self._opened()
            await inside(head, charged, scope, receive, answer)

    async def _opened(self) -> Inside:
        async with self._making:
            if self._inside is None:
                self._inside = await asyncio.to_thread(self._make)
            return self._inside
