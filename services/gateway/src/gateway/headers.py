"""Which headers go on, in both directions: nothing that belongs to one connection, nothing that claims to know who somebody is."""

from collections.abc import Iterable
from dataclasses import dataclass

from multidict import CIMultiDict
from opentelemetry.context import Context
from starlette.types import Scope

from gateway.head import Head, Headers
from tailrace.http.protocol.admission import DEADLINE, deadline_of
from tailrace.observability import tracing

_DEADLINE = DEADLINE.encode()
HOP_BY_HOP = frozenset(
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
        _DEADLINE,
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"x-request-id",
    }
)
_NOT_HANDED_ON = HOP_BY_HOP | _SET_HERE
_IDENTITY = (b"x-tenant", b"x-user")
_NOT_PASSED_BACK = HOP_BY_HOP | {b"date", b"server", b"x-request-id"}
_NONE: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class Said:
    """What the gateway says of a request to the service: its id, the trace that it belongs to, if it came with one, who asks, and how long they wait,
    in seconds."""

    request_id: str
    trace: Context | None
    client: str
    scheme: str
    within: float


def said_to_service(scope: Scope, within: float) -> Said:
    """What is said of the request of `scope`, and how long its answer is waited for: `within` seconds, or less where the client says so."""
    peer, state = scope.get("client"), scope["state"]
    # A screen asks several services for one request: they belong to one trace, also where that begins here.
    state["trace"] = tracing.begun(state["trace"])
    return Said(
        request_id=state["request_id"],
        trace=state["trace"],
        client=peer[0] if peer else "unknown",
        scheme=scope["scheme"],
        within=min(within, deadline_of(scope) or within),
    )


def upstream_headers(head: Head, scope: Scope, length: int | None, within: float) -> CIMultiDict[str]:
    """What the service gets, with a body of `length` bytes. See `said_to_service`."""
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in handed_on(head, said_to_service(scope, within), length):
        headers.add(name.decode("ascii"), value.decode("utf-8"))
    return headers


def handed_on(head: Head, said: Said, length: int | None) -> Headers:
    """The client's headers as far as they are the service's affair, and what is said of the request here.

    `X-Forwarded-For` names the peer alone: what the client claims there is worth nothing.
    """
    trace = tracing.handed_on(said.trace)
    dropped = _NOT_HANDED_ON.union(_named_in_connection(head.headers), map(str.encode, trace))
    headers = [
        each
        for each in head.headers
        if each[0] not in dropped and (each[0][:1] != b"x" or not _claims_identity(each[0]))
    ]
    headers += [(name.encode(), value.encode()) for name, value in trace.items()]
    headers += (
        (b"x-request-id", said.request_id.encode()),
        (b"x-forwarded-for", said.client.encode()),
        (b"x-forwarded-proto", said.scheme.encode()),
        (_DEADLINE, b"%d" % int(1000 * said.within)),
    )
    if head.host:
        headers.append((b"x-forwarded-host", head.host.encode()))
    if length is not None and (length or head.writes or head.length is not None):
        headers.append((b"content-length", b"%d" % length))
    return headers


def answer_headers(upstream: Iterable[tuple[bytes, bytes]], own: dict[str, str]) -> Headers:
    """What the client gets: the service's headers byte for byte, and the gateway's `own`."""
    lowered = [(name.lower(), value) for name, value in upstream]
    dropped = _NOT_PASSED_BACK.union(_named_in_connection(lowered))
    kept = [(name, value) for name, value in lowered if name not in dropped]
    return [*kept, *((name.lower().encode(), value.encode()) for name, value in own.items())]


def _named_in_connection(headers: Headers) -> frozenset[bytes]:
    """RFC 9110, 7.6.1: what Connection lists belongs to this connection. It cannot take back how long the body is."""
    named = {option.strip().lower() for name, value in headers if name == b"connection" for option in value.split(b",")}
    return frozenset(named - {b"content-length", b""}) if named else _NONE


def _claims_identity(name: bytes) -> bool:
    return name.replace(b"_", b"-").startswith(_IDENTITY)
