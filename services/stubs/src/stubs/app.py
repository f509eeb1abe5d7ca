"""The program: the partners' paths, the log of what each was asked, and the switch for what goes wrong. In memory, gone with the process."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubs import smtp
from stubs.books import Books
from stubs.faults import Faults, spoil
from stubs.log import Entry
from stubs.routes import control, partners
from tailrace.http.protocol import problem_details
from tailrace.http.protocol.middleware import RequestId
from tailrace.observability import metrics
from tailrace.runtime import health
from tailrace.settings import Settings

_MOST = 1000
"""Requests that are remembered."""
_LARGEST = 1024 * 1024


def build(settings: Settings) -> FastAPI:

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with smtp.listening(settings, app.state.books, app.state.faults, app.state.log):
            yield

    app = FastAPI(
        title="Tailrace stubs", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.faults, app.state.log = Faults(), deque[Entry](maxlen=_MOST)
    app.state.books = Books()
    problem_details.install(app)
    for router in (health.router, metrics.router, control.router, *partners.ROUTERS):
        app.include_router(router)
    app.add_middleware(RequestId)
    app.add_middleware(Partnering, faults=app.state.faults, log=app.state.log)
    return app


class Partnering:
    """Notes what a partner is asked, and lets go wrong what is switched on. Outermost, so that it meets the connection itself."""

    def __init__(self, app: ASGIApp, faults: Faults, log: deque[Entry]) -> None:
        self._app, self._faults, self._log = app, faults, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        partner, _, path = scope.get("path", "").removeprefix("/").partition("/")
        if scope["type"] != "http" or partner not in partners.NAMES:
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        fault = self._faults.due(partner, f"/{path}")
        self._log.append(_entry(partner, scope, body, fault.kind if fault else None))
        if fault is None:
            await self._app(scope, _replayed(body), send)
        elif fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, _replayed(body), send)
        else:
            if fault.first:
                await self._app(scope, _replayed(body), _unheard)
            await spoil(fault, receive, send)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more and len(body) <= _LARGEST:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _replayed(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _unheard(message: Message) -> None:
    """What was done and answered, and does not arrive."""


def _entry(partner: str, scope: Scope, body: bytes, fault: str | None) -> Entry:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Entry(
        at=datetime.now(UTC),
        partner=partner,
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        key=headers.get("idempotency-key"),
        authorized="authorization" in headers,
        body=body.decode(errors="replace"),
        fault=fault,
    )
