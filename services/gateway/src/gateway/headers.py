"""Which headers go on, in both directions: nothing that belongs to one connection, nothing that claims to know who somebody is."""

from collections.abc import Iterable

from multidict import CIMultiDict
from opentelemetry import propagate
from starlette.types import Scope

from gateway.head import Head, Headers
from tailrace.http.admission import DEADLINE, deadline_of
from tailrace.observability import tracing

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_SET_HERE = frozenset(
    {
        b"content-length",
        b"expect",
        b"forwarded",
        b"host",
        b"traceparent",
        b"tracestate",
        DEADLINE.encode(),
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"x-request-id",
    }
)
_IDENTITY = (b"x-tenant", b"x-user")
_OWN_ANSWER = frozenset({b"date", b"server", b"x-request-id"})


def upstream_headers(head: Head, scope: Scope, length: int | None, within: float) -> CIMultiDict[str]:
    """What the service gets, with a body of `length` bytes, and how long it is waited for: `within` seconds, or less where the client says so.

    `X-Forwarded-For` names the peer alone: what the client claims there is worth nothing.
    """
    state = scope["state"]
    # A screen asks several services for one request: they belong to one trace, also where that begins here.
    state["trace"] = tracing.begun(state["trace"])
    dropped = _HOP_BY_HOP | _SET_HERE | _named_in_connection(head.headers)
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in head.headers:
        if name not in dropped and not _claims_identity(name):
            headers.add(name.decode("ascii"), value.decode("utf-8"))
    propagate.inject(headers, state["trace"])
    headers["X-Request-Id"] = state["request_id"]
    headers["X-Forwarded-For"] = scope["client"][0] if scope.get("client") else "unknown"
    headers["X-Forwarded-Proto"] = scope["scheme"]
    headers[DEADLINE] = str(int(1000 * min(within, deadline_of(scope) or within)))
    if head.host:
        headers["X-Forwarded-Host"] = head.host
    if length is not None and (length or head.writes or head.length is not None):
        headers["Content-Length"] = str(length)
    return headers


def answer_headers(upstream: Iterable[tuple[bytes, bytes]], own: dict[str, str]) -> Headers:
    """What the client gets: the service's headers byte for byte, and the gateway's `own`."""
    lowered = [(name.lower(), value) for name, value in upstream]
    dropped = _HOP_BY_HOP | _OWN_ANSWER | _named_in_connection(lowered)
    kept = [(name, value) for name, value in lowered if name not in dropped]
    return [*kept, *((name.lower().encode(), value.encode()) for name, value in own.items())]


def _named_in_connection(headers: Headers) -> frozenset[bytes]:
    """RFC 9110, 7.6.1: what Connection lists belongs to this connection. It cannot take back how long the body is."""
    named = {option.strip().lower() for name, value in headers if name == b"connection" for option in value.split(b",")}
    return frozenset(named - {b"content-length", b""})


def _claims_identity(name: bytes) -> bool:
    return name.replace(b"_", b"-").startswith(_IDENTITY)
