"""An OTLP receiver for tests: keeps what the fleet sends over HTTP, and tells it span by span."""

import gzip
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_KEPT = 5000
"""Requests; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it was sent; ids in hexadecimal, `parent` empty at the beginning of a trace, `links` the spans that it names besides."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    attributes: Mapping[str, Any]
    links: tuple[str, ...] = ()


class Collector:
    """Listens on a free port of the loopback interface while it is open."""

    def __init__(self) -> None:
        self._traces: deque[bytes] = deque(maxlen=_KEPT)
        self._metrics: deque[bytes] = deque(maxlen=_KEPT)
        kept = {"/v1/traces": self._traces, "/v1/metrics": self._metrics}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                kept[self.path].append(
                    gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                )
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environment(self) -> dict[str, str]:
        """With these variables a process sends here, and soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._server.server_address[1]}",
            "OTEL_BSP_SCHEDULE_DELAY": "500",
            "OTEL_METRIC_EXPORT_INTERVAL": "5000",
        }

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of one trace that have come so far."""
        wanted = bytes.fromhex(trace_id)
        return [
            span for body in list(self._traces) if wanted in body for span in _spans(body) if span.trace == trace_id
        ]

    def holds(self, text: str) -> bool:
        """Whether these words stand anywhere in a span that has come so far."""
        return any(text.encode() in body for body in list(self._traces))

    def metric_names(self, service: str) -> set[str]:
        """The names of the metrics that a service has sent."""
        return {metric.name for metric in self._sent_metrics(service)}

    def points(self, service: str, histogram: str) -> list[Mapping[str, Any]]:
        """The labels of each series of a histogram that a service has sent, as often as it has sent it."""
        return [
            _values(point.attributes)
            for metric in self._sent_metrics(service)
            if metric.name == histogram
            for point in metric.histogram.data_points
        ]

    def _sent_metrics(self, service: str) -> Iterator[Any]:
        for body in list(self._metrics):
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                if _values(resource.resource.attributes).get("service.name") == service:
                    yield from (metric for scope in resource.scope_metrics for metric in scope.metrics)


def _spans(body: bytes) -> list[Span]:
    return [
        Span(
            service=str(_values(resource.resource.attributes).get("service.name")),
            name=span.name,
            trace=span.trace_id.hex(),
            span=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            attributes=_values(span.attributes),
            links=tuple(link.span_id.hex() for link in span.links),
        )
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value") for each in attributes}
