"""What leaves in a span: names, numbers and ids, never what people wrote; and no statement that belongs to no trace.

The instrumentors note addresses, queries and messages of errors, in which a name or an e-mail address may stand: those are left out where spans go.
"""

from collections.abc import Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, Status, get_current_span
from opentelemetry.util.types import Attributes
from starlette.types import ASGIApp, Receive, Scope, Send

_PERSONAL = frozenset(
    {
        "client.address",
        "client.port",
        "http.request.method_original",
        "url.path",
        "url.query",
        "user_agent.original",
    }
)


class Discreet(SpanExporter):
    """Sends spans on without what may be personal: these attributes, and the words of errors (PostgreSQL's details quote the row at fault)."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_discreet(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _discreet(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in (span.attributes or {}).items() if name not in _PERSONAL},
        links=span.links,
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
    )


class WithinTraces(Sampler):
    """Leaves out statements that no request, event or deadline led to: polling would begin a trace with each."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        *args: Any,
    ) -> SamplingResult:
        if kind is SpanKind.CLIENT and not get_current_span(parent_context).get_span_context().is_valid:
            return SamplingResult(Decision.DROP)
        return self._sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, *args)

    def get_description(self) -> str:
        return f"WithinTraces({self._sampler.get_description()})"


class Legible:
    """Serves a request without a span when its head is not UTF-8: the instrumentor stumbles over it before anything of ours can refuse it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not all(_is_utf8(value) for _, value in scope["headers"]):
            with suppress_http_instrumentation():
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
