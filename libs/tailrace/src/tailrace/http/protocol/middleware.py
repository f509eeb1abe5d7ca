"""What happens to every request whatever its route: an id, a bound on its size, an answer even to an unforeseen error, and one log line.

Nothing is kept by a cache or guessed to be another format, unless the answer says so itself.
"""

import re
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from http import HTTPStatus
from urllib.parse import unquote
from uuid import UUID

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailrace.core.errors import BadRequest, MethodUnknown, Problem, TooLarge, VersionRefused
from tailrace.core.ids import uuid7
from tailrace.http.protocol.problem_details import METHODS, answer, problem_of
from tailrace.http.protocol.uvicorn_protocol import READ_ON
from tailrace.observability import metrics, tracing
from tailrace.observability.logs import said

_QUIET = ("/health/", "/metrics")
_DIGITS = 15
_ABSOLUTE = re.compile(rb"https?://([^/?#@]+)(/.*)?", re.IGNORECASE)
BEGAN = "began"
"""In a request's state: when work on it began (`time.perf_counter`), where that was before it came here."""
_DEFAULTS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class RequestId:
    """Takes `X-Request-Id` when it is a UUID, else makes one; it is the correlation id of all that follows, and goes back in every answer."""

    def __init__(self, app: ASGIApp, public: Collection[str] = ()) -> None:
        """`public` are the prefixes that need no token: what stands below one may be a secret that stands for a token, and is not logged."""
        self._app = app
        self._public = tuple(f"{prefix}/" for prefix in public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        # What was begun before it came here has its id, and its time, already.
        request_id, began = state.get("correlation_id") or given(scope["headers"]), state.get(BEGAN)
        trace = tracing.entered(Headers(scope=scope))
        state.update(request_id=str(request_id), correlation_id=request_id, trace=trace)
        structlog.contextvars.bind_contextvars(request_id=str(request_id))
        if trace_id := tracing.trace_id(trace):
            structlog.contextvars.bind_contextvars(trace_id=trace_id)
        began, status = began or time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = completed(message["headers"], str(request_id))
                if status >= HTTPStatus.BAD_REQUEST and _declared(scope) > READ_ON:
                    # What comes of it is not read to its end, and who sends it is to know (RFC 9112, 9.6).
                    message["headers"] = _with_close(message["headers"])
            await send(message)

        try:
            _as_origin_form(scope)
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
                note_served(scope["method"], tracing.route_of(scope), self._logged(scope["path"]), status, began)
            structlog.contextvars.unbind_contextvars("request_id", "trace_id", "tenant")

    def _logged(self, path: str) -> str:
        return next((f"{prefix}…" for prefix in self._public if path.startswith(prefix)), path)


def note_served(method: str, route: str, path: str, status: int, began: float, **more: object) -> None:
    """Count a request that is over, and write its line. `status` is 0 of one that was not answered; `more` is what nothing else has the line say."""
    seconds = time.perf_counter() - began
    # A label is a name out of the code; OpenTelemetry has this one for what is none.
    metrics.request_served(method if method in METHODS else "_OTHER", route, status, seconds)
    said("request", **more, method=method, path=path, status=status, ms=round(seconds * 1000, 1))


class HeadAsGet:
    """Answers HEAD as GET without the content (RFC 9110, 9.3.2), so that no route has to say that it can.

    The answer ends where the content would begin: of what comes piece by piece, as a stream does or an export, nothing more is made.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        ended = False

        async def without_content(message: Message) -> None:
            nonlocal ended
            if message["type"] != "http.response.body":
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        scope["method"] = "GET"
        scope.setdefault("state", {})["without_content"] = True
        try:
            await self._app(scope, receive, without_content)
        finally:
            scope["method"] = "HEAD"


class BodyLimit:
    """Refuses a body over `limit` bytes with 413, by its declared length or while it arrives. A route may say another one of its own."""

    def __init__(self, app: ASGIApp, limit: int, routes: Sequence[BaseRoute] = ()) -> None:
        self._app = app
        self._limit = limit
        limits = ((route, getattr(route, "body_limit", None)) for route in routes)
        self._own = [(route, own) for route, own in limits if own is not None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = dict(scope["headers"])
        if b"content-length" not in named and b"transfer-encoding" not in named:
            # No body follows (RFC 9112, section 6.3).
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope)
        if _declared(scope) > limit:
            await answer(TooLarge(limit), Request(scope))(scope, receive, send)
            return
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                # An HTTPException is the one kind of error that FastAPI lets through while it reads a body.
                error = TooLarge(limit)
                raise HTTPException(error.status, error.detail, error.headers)
            return message

        await self._app(scope, limited, send)

    def _limit_of(self, scope: Scope) -> int:
        return next((limit for route, limit in self._own if route.matches(scope)[0] is Match.FULL), self._limit)


def _as_origin_form(scope: Scope) -> None:
    """A target may be written as a whole address, as to a proxy, and means the same (RFC 9112, 3.2.2). Raises BadRequest where `Host` says another
    host: what stands before this went by one of the two. Whatever else does not begin with a slash is left to those who read the path."""
    found = _ABSOLUTE.fullmatch(scope.get("raw_path") or b"/")
    if found is None:
        return
    if found[1].lower() != dict(scope["headers"]).get(b"host", b"").lower():
        raise BadRequest("The target and the header Host name different hosts.", field="Host")
    path = found[2] or b"/"
    scope["raw_path"], scope["path"] = path, unquote(path.decode("ascii"))


def _check(scope: Scope) -> None:
    """Raises VersionRefused or MethodUnknown for what a parser lets through and no route could mean."""
    if not scope["http_version"].startswith("1."):
        raise VersionRefused("This speaks HTTP/1.1.", headers={"Connection": "close"})
    # A method that HTTP has and no path does is refused by the routes, which say what they have.
    if scope["method"] not in METHODS and scope["method"] not in {"TRACE", "QUERY"}:
        raise MethodUnknown(f"The methods are {', '.join(METHODS)}, in capitals.")


def completed(headers: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, with what every answer has."""
    named = [*headers]
    names = {name.lower() for name, _ in named}
    defaults = (default for default in _DEFAULTS if default[0] not in names)
    return [*named, *defaults, (b"x-request-id", request_id.encode())]


def _declared(scope: Scope) -> int:
    """The length of the body by its head; more than any when that is no number of ours."""
    declared: bytes = dict(scope["headers"]).get(b"content-length", b"0")
    return int(declared) if declared.isdigit() and len(declared) <= _DIGITS else sys.maxsize


def _with_close(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [*(each for each in headers if each[0].lower() != b"connection"), (b"connection", b"close")]


def given(headers: Iterable[tuple[bytes, bytes]]) -> UUID:
    """The id that a request came with; a new one, where that is none."""
    value = dict(headers).get(b"x-request-id")
    try:
        return uuid7() if value is None else UUID(value.decode("latin-1"))
    except ValueError:
        return uuid7()
