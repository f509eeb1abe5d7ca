"""What an operator watches, measured once and told twice: at `/metrics` for Prometheus, and by OTLP where a collector is named.

Requests (rate, errors, duration, by route), events applied and dead-lettered by subscriber, steps of sagas, and what `gauges` reads now and then:
consumer lag, slot size, dead letters, timers. Names follow OpenTelemetry's conventions; Prometheus sees `http.server.request.duration` as
`http_server_request_duration_seconds`. Labels are names out of the code, never ids, but for a relay's name: there are as few as there are relays.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Response

from tailrace.observability import tracing
from tailrace.observability.tracing import ENDPOINT

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.view import View

Reading = tuple[Mapping[str, str], float]
"""One series of a gauge: its labels and its value."""

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds."""

_provider: "MeterProvider | None" = None
_instruments: dict[str, Any] = {}
readings: dict[str, list[Reading]] = {}
"""The last value of every gauge; `gauges` writes it, a scrape reads it."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric. `unit` is UCUM's: `s`, `By`, `1`, or in braces what is counted."""

    kind: Literal["histogram", "counter", "gauge"]
    name: str
    unit: str
    meaning: str

    @property
    def prometheus(self) -> str:
        """Its name at `/metrics` (OpenTelemetry's rules for Prometheus names)."""
        unit = {"s": "_seconds", "By": "_bytes"}.get(self.unit, "")
        return self.name.replace(".", "_") + unit + ("_total" if self.kind == "counter" else "")


INSTRUMENTS = {
    "requests": Instrument("histogram", "http.server.request.duration", "s", "Requests, by method, route and status."),
    "effects": Instrument(
        "histogram", "messaging.process.duration", "s", "From a batch's hand-over to its effect, by subscriber."
    ),
    "applied": Instrument(
        "counter", "tailrace.events.applied", "{event}", "Events that had their effect, by subscriber."
    ),
    "dead_lettered": Instrument(
        "counter",
        "tailrace.events.dead_lettered",
        "{event}",
        "Events that became dead letters, by subscriber and kind.",
    ),
    "refused": Instrument(
        "counter",
        "tailrace.requests.refused",
        "{request}",
        "Requests that were refused at once, since the process was late.",
    ),
    "steps": Instrument(
        "counter", "tailrace.saga.steps", "{step}", "Steps of sagas, by saga and the states they lead between."
    ),
    "errand_calls": Instrument(
        "histogram", "tailrace.errand.duration", "s", "Calls to others, by errand and by what came of them."
    ),
    "errands_ended": Instrument(
        "counter", "tailrace.errands.ended", "{errand}", "Errands whose outcome was applied, by errand and outcome."
    ),
    "relayed": Instrument("counter", "tailrace.relay.passed", "{record}", "Records that a relay passed on, by relay."),
    **{
        name: Instrument("gauge", name, unit, meaning)
        for name, unit, meaning in (
            (
                "tailrace.consumer.lag",
                "{record}",
                "Records that the consumer has not read yet, by topic and partition.",
            ),
            ("tailrace.relay.lag", "{record}", "Records that a relay has not looked at yet, by relay."),
            ("tailrace.dead_letters", "{event}", "Dead letters: events that a subscriber could not apply, by kind."),
            ("tailrace.dead_letters.age", "s", "Since when the oldest of them waits."),
            ("tailrace.slot.retained", "By", "Write-ahead log that the replication slot holds back."),
            ("tailrace.slot.active", "1", "1 while the connector reads the slot; 0 also when there is none."),
            ("tailrace.outbox.age", "s", "Since when the connector has confirmed nothing of what was written after."),
            (
                "tailrace.timers.pending",
                "{timer}",
                "Timers and deadlines that are set, by name; those of sagas are saga:<name>.",
            ),
            ("tailrace.timers.overdue", "{timer}", "Those whose time has come."),
            ("tailrace.errands.waiting", "{errand}", "Errands without an outcome yet, by name."),
            ("tailrace.errands.tried", "{errand}", "Those that were tried at least once, in vain so far."),
            (
                "tailrace.capture.well",
                "1",
                "1 while a service's events reach Kafka, as the watch that leads sees it, by service.",
            ),
            ("tailrace.capture.leading", "1", "1 at the one watch that looks and mends."),
            ("tailrace.capture.looked", "s", "When the watch last looked, in seconds since 1970."),
            ("tailrace.database.up", "1", "1 while the service's database answers."),
            ("tailrace.database.connections", "{connection}", "Connections of the pool in use."),
        )
    },
}
"""Every metric there is; gauges go by their name, the others by what the functions below call them."""

router = APIRouter(include_in_schema=False)


@router.api_route("/metrics", methods=["GET", "HEAD"])
async def prometheus() -> Response:
    """The Prometheus text format, version 0.0.4."""
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

    return Response(generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


def serve(host: str, port: int) -> None:
    """Show them at a port of their own too, from a thread that ends with the process. Raises OSError when the port is taken."""
    from prometheus_client import start_http_server

    start_http_server(port, host)


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
    _provider = MeterProvider(metric_readers=readers, resource=resource, views=_views())
    meter = _provider.get_meter("tailrace")
    for key, each in INSTRUMENTS.items():
        if key == "requests" and tracing.is_on():
            continue  # The instrumentor has it.
        if each.kind == "histogram":
            _instruments[key] = meter.create_histogram(
                each.name, each.unit, each.meaning, explicit_bucket_boundaries_advisory=BUCKETS
            )
        elif each.kind == "counter":
            _instruments[key] = meter.create_counter(each.name, each.unit, each.meaning)
        else:
            meter.create_observable_gauge(each.name, [_reader_of(each.name)], each.unit, each.meaning)


def provider() -> "MeterProvider | None":
    """What an instrumentor of this process measures with; None before `install`."""
    return _provider


def _views() -> "list[View]":
    """Labels and buckets are the same with the instrumentor and without. No other view of its: it mixes up the sizes of answers under load."""
    from opentelemetry.sdk.metrics.view import DropAggregation, ExplicitBucketHistogramAggregation, View

    requests = INSTRUMENTS["requests"].name
    labels = {"http.request.method", "http.route", "http.response.status_code"}
    dropped = ("http.server.active_requests", "http.server.request.body.size", "http.server.response.body.size")
    return [
        View(instrument_name=requests, attribute_keys=labels, aggregation=ExplicitBucketHistogramAggregation(BUCKETS)),
        *(View(instrument_name=name, aggregation=DropAggregation()) for name in dropped),
    ]


def flush() -> None:
    """Send what is still here, and stop. Blocks for a few seconds at most."""
    if _provider is not None:
        _provider.shutdown()


def request_served(method: str, route: str, status: int, seconds: float) -> None:
    """Unless the instrumentor measures it."""
    if "requests" in _instruments:
        labels = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
        _instruments["requests"].record(seconds, labels)


def refused_busy() -> None:
    if (refused := _instruments.get("refused")) is not None:
        refused.add(1)


def events_applied(subscriber: str, events: int, seconds: float) -> None:
    if _instruments:
        _instruments["applied"].add(events, {"subscriber": subscriber})
        _instruments["effects"].record(seconds, {"subscriber": subscriber})


def event_dead_lettered(subscriber: str, kind: str) -> None:
    if _instruments:
        _instruments["dead_lettered"].add(1, {"subscriber": subscriber, "kind": kind})


def saga_moved(saga: str, before: str, after: str) -> None:
    if _instruments:
        _instruments["steps"].add(1, {"saga": saga, "from": before, "to": after})


def errand_called(errand: str, result: str, seconds: float) -> None:
    if _instruments:
        _instruments["errand_calls"].record(seconds, {"errand": errand, "result": result})


def errand_ended(errand: str, outcome: str) -> None:
    if _instruments:
        _instruments["errands_ended"].add(1, {"errand": errand, "outcome": outcome})


def relayed(relay: str, records: int) -> None:
    if _instruments:
        _instruments["relayed"].add(records, {"relay": relay})


def _reader_of(name: str) -> "Callable[[CallbackOptions], Iterable[Observation]]":
    def read(_: "CallbackOptions") -> "Iterable[Observation]":
        from opentelemetry.metrics import Observation

        return [Observation(value, dict(labels)) for labels, value in readings.get(name, ())]

    return read
