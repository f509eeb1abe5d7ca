"""One trace from the gateway through outbox and Kafka to the read model: each part goes on with the `traceparent` that it was handed.

W3C Trace Context on HTTP and in the outbox row, whence Debezium carries it to a Kafka header, read and written by OpenTelemetry's propagator. Its
instrumentors make the spans of requests and of statements; ours are those of events that are applied, and of deadlines. Nothing is recorded, and
nothing instrumented, unless `OTEL_EXPORTER_OTLP_ENDPOINT` says where spans are to go (OTLP); the other `OTEL_…` variables of the SDK hold as well.
Without it, what comes in as a `traceparent` is still passed on.
"""

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from starlette.types import Scope

from tailrace.core.events import Meta

if TYPE_CHECKING:
    from fastapi import FastAPI
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_CONVENTIONS = "OTEL_SEMCONV_STABILITY_OPT_IN"
_UNSEEN = "^[a-z]+://[^/]+/(health/|metrics$)"
"""The instrumentor looks for this in the whole address, in which the client chose the host."""

_W3C = "OTEL_PROPAGATORS" not in os.environ
"""Traces are handed on as the W3C has it."""
_provider: "TracerProvider | None" = None


def install(service: str) -> None:
    """Send this process's spans to the collector that the environment names; without one, do nothing. After a fork, not before."""
    global _provider
    if not (os.environ.get(ENDPOINT) or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from tailrace.observability.discretion import Discreet, WithinTraces

    os.environ.setdefault(_CONVENTIONS, "http,database")
    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": "tailrace"}))
    provider.sampler = WithinTraces(provider.sampler)
    provider.add_span_processor(BatchSpanProcessor(Discreet(OTLPSpanExporter())))
    AsyncPGInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
    _provider = provider


def instrument(app: "FastAPI", meters: "MeterProvider | None") -> None:
    """Let every request to this app have a server span, named by its route, and the metrics that belong to it; nothing while tracing is off."""
    if _provider is None:
        return
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    from tailrace.observability.discretion import Legible

    FastAPIInstrumentor.instrument_app(
        app,
        tracer_provider=_provider,
        meter_provider=meters,
        excluded_urls=_UNSEEN,
        exclude_spans=["receive", "send"],
    )
    instrumented = app.build_middleware_stack
    app.build_middleware_stack = lambda: Legible(instrumented())  # type: ignore[method-assign]


def flush() -> None:
    """Send what is still here, and stop. Blocks for a few seconds at most."""
    if _provider is not None:
        _provider.shutdown()


def is_on() -> bool:
    return _provider is not None


def entered(headers: Mapping[str, str]) -> Context:
    """What a request belongs to: its server span or, while tracing is off, what its caller sent, if that is well formed."""
    if _provider is not None:
        return get_current()
    says_nothing = _W3C and "traceparent" not in headers and "baggage" not in headers
    return Context() if says_nothing else propagate.extract(headers)


def begun(context: Context) -> Context:
    """The same, or a sampled trace that begins here when there is none."""
    if trace.get_current_span(context).get_span_context().is_valid:
        return context
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    ids = RandomIdGenerator()
    sampled = TraceFlags(TraceFlags.SAMPLED)
    here = SpanContext(ids.generate_trace_id(), ids.generate_span_id(), is_remote=False, trace_flags=sampled)
    return trace.set_span_in_context(NonRecordingSpan(here), context)


def handed_on(context: Context | None) -> dict[str, str]:
    """The headers that hand a trace on, one that begins here if there is none. None stands for a request that said nothing of any."""
    if context is None and _W3C:
        # What is written below, too, at a tenth of the cost: a trace that begins here, sampled.
        return {"traceparent": f"00-{_id(128):032x}-{_id(64):016x}-01"}
    carrier: dict[str, str] = {}
    propagate.inject(carrier, begun(Context() if context is None else context))
    return carrier


def _id(bits: int) -> int:
    """Never 0, which stands for none."""
    return random.getrandbits(bits) or 1


def traceparent(context: Context | None = None) -> str | None:
    """What to hand on from a context, or from the span that is open here; None when there is no trace."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier, context)
    return carrier.get("traceparent")


def trace_id(context: Context) -> str | None:
    """The trace that a context belongs to, in hexadecimal."""
    here = trace.get_current_span(context).get_span_context()
    return trace.format_trace_id(here.trace_id) if here.is_valid else None


@contextmanager
def span(name: str, kind: SpanKind, handed: str | None, **attributes: Any) -> Iterator[str | None]:
    """A span that goes on from the traceparent `handed`, or begins a trace. Yields what to hand on from within: `handed` while tracing is off.

    Attributes hold names and numbers, never what people wrote.
    """
    if _provider is None:
        yield handed
        return
    with _opened(_provider, name, kind, handed, attributes) as here, _current(here):
        yield traceparent()


@contextmanager
def applied(subscriber: str, metas: Sequence[Meta]) -> Iterator[str | None]:
    """A span for each event that a subscriber applies, each in its own trace; yields what to hand on from the first.

    Of events that are applied at once, the first one's span has the statements of all, and the others' are linked to it.
    """
    if not metas or _provider is None:
        yield metas[0].traceparent if metas else None
        return
    with ExitStack() as open_spans:
        first: list[Link] = []
        for meta in metas:
            what = _of_event(subscriber, meta, len(metas))
            name = f"{subscriber} {meta.type}"
            opened = _opened(_provider, name, SpanKind.CONSUMER, meta.traceparent, what, first)
            here = open_spans.enter_context(opened)
            if not first:
                open_spans.enter_context(_current(here))
                first = [Link(here.get_span_context())]
        yield traceparent()


def _of_event(subscriber: str, meta: Meta, together: int) -> dict[str, Any]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.message.id": str(meta.event_id),
        "messaging.batch.message_count": together,
        "tailrace.subscriber": subscriber,
        "tailrace.tenant": str(meta.tenant_id),
        "tailrace.aggregate": str(meta.aggregate_id),
        "tailrace.sequence": meta.sequence,
    }


@contextmanager
def _opened(
    provider: "TracerProvider",
    name: str,
    kind: SpanKind,
    handed: str | None,
    attributes: Mapping[str, Any],
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    """An error that passes through is noted by the name of its class."""
    context = propagate.extract({"traceparent": handed} if handed else {})
    here = provider.get_tracer("tailrace").start_span(name, context, kind, attributes, links)
    try:
        yield here
    except BaseException as error:
        here.set_status(Status(StatusCode.ERROR))
        here.set_attribute("error.type", type(error).__qualname__)
        raise
    finally:
        here.end()


def _current(here: Span) -> Any:
    return trace.use_span(here, record_exception=False, set_status_on_exception=False)


def route_of(scope: Scope) -> str:
    """The route's pattern, never the path itself, which holds ids; `unmatched` when there is none."""
    return str(getattr(scope.get("route"), "path", None) or "unmatched")
