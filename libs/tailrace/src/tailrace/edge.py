"""What happens to every request before a route sees it: an id, a bound on its size, and one log line when it is done."""

import time
from uuid import UUID

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailrace.ids import uuid7
from tailrace.logs import log

_QUIET = ("/health/",)


class TooLarge(Exception):
    """The body went over the limit while it was being read."""


class RequestId:
    """Takes `X-Request-Id` when it is a UUID, else makes one; it is the correlation id of all that follows, and goes back in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given(scope) or uuid7()
        scope.setdefault("state", {}).update(request_id=str(request_id), correlation_id=request_id)
        structlog.contextvars.bind_contextvars(request_id=str(request_id))
        began, status = time.perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", str(request_id).encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            if not scope["path"].startswith(_QUIET):
                ms = round((time.perf_counter() - began) * 1000, 1)
                log.info("request", method=scope["method"], path=scope["path"], status=status, ms=ms)
            structlog.contextvars.unbind_contextvars("request_id")


class BodyLimit:
    """Refuses a body over `limit` bytes with 413, by its declared length or while it arrives."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._limit:
            await _too_large(send, self._limit)
            return
        seen, answered = 0, False

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, limited, watched)
        except TooLarge:
            if not answered:
                await _too_large(send, self._limit)


async def _too_large(send: Send, limit: int) -> None:
    body = (
        b'{"type":"urn:tailrace:problem:too-large","title":"The body is too large","status":413,'
        b'"detail":"At most %d bytes."}' % limit
    )
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _given(scope: Scope) -> UUID | None:
    value = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    try:
        return UUID(value)
    except ValueError:
        return None
