"""What happens to every request whatever its route: an id, a bound on its size, an answer even to an unforeseen error, and one log line.

Nothing is kept by a cache or guessed to be another format, unless the answer says so itself.
"""

import time
from collections.abc import Iterable, Mapping
from uuid import UUID

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailrace.core.errors import MethodUnknown, Problem, TooLarge, VersionRefused
from tailrace.core.ids import uuid7
from tailrace.http.problem_details import METHODS, answer, problem_of
from tailrace.observability import metrics, tracing
from tailrace.observability.logs import log

_QUIET = ("/health/", "/metrics")
_DIGITS = 15
_DEFAULTS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


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
                message["headers"] = [*_completed(message["headers"]), (b"x-request-id", str(request_id).encode())]
            await send(message)

        try:
            _check(scope)
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            if status:
                raise
            # Starlette would answer outside of this, without the id, and have the server print the error a second time.
            problem = error if isinstance(error, Problem) else problem_of(error)
            await answer(problem, Request(scope))(scope, receive, send_with_id)
        finally:
            if not scope["path"].startswith(_QUIET):
                seconds = time.perf_counter() - began
                # A label is a name out of the code; OpenTelemetry has this one for what is none.
                method = scope["method"] if scope["method"] in METHODS else "_OTHER"
                metrics.request_served(method, tracing.route_of(scope), status, seconds)
                log.info(
                    "request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1)
                )
            structlog.contextvars.unbind_contextvars("request_id", "trace_id", "tenant")


class HeadAsGet:
    """Answers HEAD as GET without the content (RFC 9110, 9.3.2), so that no route has to say that it can."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_content(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        scope["method"] = "GET"
        try:
            await self._app(scope, receive, without_content)
        finally:
            scope["method"] = "HEAD"


class BodyLimit:
    """Refuses a body over `limit` bytes with 413, by its declared length or while it arrives; under a path of `larger`, over its limit."""

    def __init__(self, app: ASGIApp, limit: int, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limit = limit
        self._larger = sorted((larger or {}).items(), reverse=True)

    def _limit_of(self, path: str) -> int:
        under = (limit for prefix, limit in self._larger if path == prefix or path.startswith(f"{prefix}/"))
        return next(under, self._limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._limit_of(scope["path"])
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or len(declared) > _DIGITS or int(declared) > most:
            await answer(TooLarge(most), Request(scope))(scope, receive, send)
            return
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                # An HTTPException is the one kind of error that FastAPI lets through while it reads a body.
                raise HTTPException(TooLarge.status, TooLarge(most).detail)
            return message

        await self._app(scope, limited, send)


def _check(scope: Scope) -> None:
    """Raises VersionRefused or MethodUnknown for what a parser lets through and no route could mean."""
    if not scope["http_version"].startswith("1."):
        raise VersionRefused("This speaks HTTP/1.1.", headers={"Connection": "close"})
    # A method that HTTP has and no path does is refused by the routes, which say what they have.
    if scope["method"] not in METHODS and scope["method"] not in {"TRACE", "QUERY"}:
        raise MethodUnknown(f"The methods are {', '.join(METHODS)}, in capitals.")


def _completed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    said = list(headers)
    named = {name.lower() for name, _ in said}
    return [*said, *(default for default in _DEFAULTS if default[0] not in named)]


def _given(scope: Scope) -> UUID | None:
    value = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    try:
        return UUID(value)
    except ValueError:
        return None
