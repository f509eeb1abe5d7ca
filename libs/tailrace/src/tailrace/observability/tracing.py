"""One trace from the gateway through outbox and Kafka to the read model: each part goes on with the `traceparent` that it was handed.

W3C Trace Context on HTTP and in the outbox row, whence Debezium carries it to a Kafka header; spans leave by OTLP (OpenTelemetry). Nothing is
recorded unless `OTEL_EXPORTER_OTLP_ENDPOINT` says where to; the other `OTEL_…` variables of the SDK hold as well. Without it, what comes in as a
`traceparent` is still passed on unchanged.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailrace.core.events import Meta

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, SpanKind

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
"""Version 00; anything else is to be taken for absent."""
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

_provider: "TracerProvider | None" = None


def install(service: str) -> None:
    """Send this process's spans to the collector that the environment names; without one, do nothing. After a fork, not before."""
    global _provider
    if not (os.environ.get(ENDPOINT) or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": "tailrace"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _provider = provider


def flush() -> None:
    """Send what is still here, and stop. Blocks for a few seconds at most."""
    if _provider is not None:
        _provider.shutdown()


def is_on() -> bool:
    return _provider is not None


@contextmanager
def span(name: str, kind: str, traceparent: str | None, **attributes: Any) -> Iterator["Span | None"]:
    """A span that goes on from `traceparent`, or begins a trace; None while tracing is off. An error that passes through is noted on it.

    `kind` is server, consumer or internal. Attributes hold names and numbers, never what people wrote.
    """
    if _provider is None:
        yield None
        return
    from opentelemetry.trace import Status, StatusCode

    here = _provider.get_tracer("tailrace").start_span(
        name, context=_parent(traceparent), kind=_kind(kind), attributes=attributes
    )
    try:
        yield here
    except BaseException as error:
        here.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        here.end()


def traceparent_of(here: "Span | None", otherwise: str | None) -> str | None:
    """What to hand on from within this span."""
    if here is None:
        return otherwise
    context = here.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@contextmanager
def applied(subscriber: str, metas: Sequence[Meta]) -> Iterator[str | None]:
    """A span for each event that a subscriber applies at once, each in its own trace; yields the first's traceparent to hand on."""
    if not metas:
        yield None
        return
    if _provider is None:
        yield metas[0].traceparent
        return
    with ExitStack() as open_spans:
        spans = [open_spans.enter_context(_of_event(subscriber, meta, len(metas))) for meta in metas]
        yield traceparent_of(spans[0], metas[0].traceparent)


def _of_event(subscriber: str, meta: Meta, together: int) -> Any:
    return span(
        f"{subscriber} {meta.type}",
        "consumer",
        meta.traceparent,
        **{
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.message.id": str(meta.event_id),
            "messaging.batch.message_count": together,
            "tailrace.subscriber": subscriber,
            "tailrace.tenant": str(meta.tenant_id),
            "tailrace.aggregate": str(meta.aggregate_id),
            "tailrace.sequence": meta.sequence,
        },
    )


class Traced:
    """A server span around every request, outermost; what is inside sees its `traceparent` as if it had come so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(("/health/", "/metrics")):
            await self._app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == b"traceparent"]
        incoming = given[0].decode("latin-1") if len(given) == 1 else None
        with span(scope["method"], "server", incoming, **{"http.request.method": scope["method"]}) as here:
            # More than one is refused where the head is parsed.
            if len(given) <= 1:
                others = [header for header in scope["headers"] if header[0] != b"traceparent"]
                scope["headers"] = [*others, (b"traceparent", (traceparent_of(here, incoming) or "").encode())]

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start" and here is not None:
                    here.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, noting)
            if here is not None:
                here.update_name(f"{scope['method']} {route_of(scope)}")


def route_of(scope: Scope) -> str:
    """The route's pattern, never the path itself, which holds ids; `unmatched` when there is none."""
    route = scope.get("route")
    return str(scope.get("tailrace.route") or getattr(route, "path", None) or "unmatched")


def trace_id(scope: Scope) -> str | None:
    """The trace that a request belongs to, when it says so in one well-formed header."""
    for name, value in scope["headers"]:
        if name == b"traceparent" and (found := TRACEPARENT.fullmatch(value.decode("latin-1"))):
            return found[1]
    return None


def _parent(traceparent: str | None) -> Any:
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    found = TRACEPARENT.fullmatch(traceparent or "")
    if found is None:
        return Context()
    trace, parent, flags = (int(part, 16) for part in found.groups())
    remote = SpanContext(trace, parent, is_remote=True, trace_flags=TraceFlags(flags & 1))
    return set_span_in_context(NonRecordingSpan(remote), Context())


def _kind(name: str) -> "SpanKind":
    from opentelemetry.trace import SpanKind

    return SpanKind[name.upper()]
