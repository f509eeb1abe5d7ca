"""What happens to every request whatever its route: an id, a bound on its size, an answer even to an unforeseen error, and one log line."""

import time
from uuid import UUID

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailrace.core.errors import TooLarge
from tailrace.core.ids import uuid7
from tailrace.http.problem_details import answer, problem_of
from tailrace.observability import metrics, tracing
from tailrace.observability.logs import log

_QUIET = ("/health/", "/metrics")
_DIGITS = 15


class RequestId:
    """Takes `X-Request-Id` when it is a UUID, else makes one; it is the correlation id of all that follows, and goes back in every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given(scope) or uuid7()
        trace = tracing.entered(Headers(scope=scope))
        scope.setdefault("state", {}).update(request_id=str(request_id), correlation_id=request_id, trace=trace)
        structlog.contextvars.bind_contextvars(request_id=str(request_id))
        if trace_id := tracing.trace_id(trace):
            structlog.contextvars.bind_contextvars(trace_id=trace_id)
        began, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", str(request_id).encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            if status:
                raise
            # Starlette would answer outside of this, without the id, and have the server print the error a second time.
            await answer(problem_of(error), Request(scope))(scope, receive, send_with_id)
        finally:
            if not scope["path"].startswith(_QUIET):
                seconds = time.perf_counter() - began
                metrics.request_served(scope["method"], tracing.route_of(scope), status, seconds)
                log.info(
                    "request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1)
                )
            structlog.contextvars.unbind_contextvars("request_id", "trace_id", "tenant")


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
        if not declared.isdigit() or len(declared) > _DIGITS or int(declared) > self._limit:
            await answer(TooLarge(self._limit), Request(scope))(scope, receive, send)
            return
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                # An HTTPException is the one kind of error that FastAPI lets through while it reads a body.
                raise HTTPException(TooLarge.status, TooLarge(self._limit).detail)
            return message

        await self._app(scope, limited, send)


def _given(scope: Scope) -> UUID | None:
    value = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    try:
        return UUID(value)
    except ValueError:
        return None
