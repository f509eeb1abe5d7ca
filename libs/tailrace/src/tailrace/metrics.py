"""What an operator watches, measured once and told twice: at `/metrics` for Prometheus, and by OTLP where a collector is named.

Requests (rate, errors, duration, by route), facts applied and parked by subscriber, steps of sagas, and what `gauges` reads now and then: consumer
lag, slot size, dead letters, timers. Names follow OpenTelemetry's conventions; Prometheus sees `http.server.request.duration` as
`http_server_request_duration_seconds`. Labels are names out of the code, never ids.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response

from tailrace.tracing import ENDPOINT

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider

Reading = tuple[Mapping[str, str], float]
"""One series of a gauge: its labels and its value."""

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds."""

_provider: "MeterProvider | None" = None
_instruments: dict[str, Any] = {}
readings: dict[str, list[Reading]] = {}
"""The last value of every gauge; `gauges` writes it, whoever scrapes reads it."""

_GAUGES = {
    "tailrace.consumer.lag": ("{record}", "Records that the consumer has not read yet, by topic and partition."),
    "tailrace.facts.parked": ("{fact}", "Facts that a subscriber could not apply, by kind (dead letters)."),
    "tailrace.facts.parked.age": ("s", "Since when the oldest of them waits."),
    "tailrace.slot.retained": ("By", "Write-ahead log that the replication slot holds back."),
    "tailrace.slot.active": ("1", "1 while the connector reads the slot."),
    "tailrace.outbox.age": ("s", "Since when the connector has confirmed nothing of what was written after."),
    "tailrace.timers.pending": (
        "{timer}",
        "Timers and deadlines that are set, by name; those of sagas are saga:<name>.",
    ),
    "tailrace.timers.overdue": ("{timer}", "Those whose time has come."),
    "tailrace.database.connections": ("{connection}", "Connections of the pool in use."),
}

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def prometheus() -> Response:
    """The Prometheus text format, version 0.0.4."""
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

    return Response(generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


def install(service: str) -> None:
    """Begin to measure in this process. After a fork, not before."""
    global _provider
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.resources import Resource

    readers: list[MetricReader] = [PrometheusMetricReader(scope_info_enabled=False)]
    if os.environ.get(ENDPOINT) or os.environ.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"):
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter()))
    resource = Resource.create({"service.name": service, "service.namespace": "tailrace"})
    _provider = MeterProvider(metric_readers=readers, resource=resource)
    meter = _provider.get_meter("tailrace")
    _instruments.update(
        requests=meter.create_histogram(
            "http.server.request.duration",
            "s",
            "Requests, by method, route and status.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        ),
        effects=meter.create_histogram(
            "messaging.process.duration",
            "s",
            "From a batch's hand-over to its effect, by subscriber.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        ),
        applied=meter.create_counter("tailrace.facts.applied", "{fact}", "Facts that had their effect, by subscriber."),
        parked=meter.create_counter(
            "tailrace.facts.set_aside", "{fact}", "Facts that were parked, by subscriber and kind."
        ),
        steps=meter.create_counter(
            "tailrace.saga.steps", "{step}", "Steps of sagas, by saga and the states they lead between."
        ),
    )
    for name, (unit, text) in _GAUGES.items():
        meter.create_observable_gauge(name, [_reader_of(name)], unit, text)


def flush() -> None:
    """Send what is still here, and stop. Blocks for a few seconds at most."""
    if _provider is not None:
        _provider.shutdown()


def request_served(method: str, route: str, status: int, seconds: float) -> None:
    if _instruments:
        labels = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
        _instruments["requests"].record(seconds, labels)


def facts_applied(subscriber: str, facts: int, seconds: float) -> None:
    if _instruments:
        _instruments["applied"].add(facts, {"subscriber": subscriber})
        _instruments["effects"].record(seconds, {"subscriber": subscriber})


def fact_parked(subscriber: str, kind: str) -> None:
    if _instruments:
        _instruments["parked"].add(1, {"subscriber": subscriber, "kind": kind})


def saga_moved(saga: str, before: str, after: str) -> None:
    if _instruments:
        _instruments["steps"].add(1, {"saga": saga, "from": before, "to": after})


def _reader_of(name: str) -> "Callable[[CallbackOptions], Iterable[Observation]]":
    def read(_: "CallbackOptions") -> "Iterable[Observation]":
        from opentelemetry.metrics import Observation

        return [Observation(value, dict(labels)) for labels, value in readings.get(name, ())]

    return read
