"""With a collector, requests, statements and applied facts have spans that hang together and hold nothing personal; else nothing is installed."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.trace import SpanKind
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from toy import Asked, Heard, service

from tailrace.core.ids import uuid7
from tailrace.observability import metrics, tracing
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.collector import Collector, Span

_NAME = "Whisperwind"
_OFF = """
import sys
import asyncpg
from tailrace.observability import metrics, tracing
from tailrace.runtime.app import build_app
from tailrace.settings import Settings
from toy import service
tracing.install("toy")
metrics.install("toy")
fetch = asyncpg.connection.Connection.fetch
app = build_app(service, Settings())
plain = [type(each).__name__ for each in (fetch, asyncpg.prepared_stmt.PreparedStatement.fetch)]
loaded = [name for name in sys.modules if name.startswith("opentelemetry.instrumentation")]
print(plain, [each.cls.__name__ for each in app.user_middleware], type(app.build_middleware_stack()).__name__, loaded)
"""


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector to which this process sends its spans."""
    with Collector() as collector:
        for name, value in collector.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(tracing, "_provider", None)
        tracing.install("toy")
        try:
            yield collector
        finally:
            tracing.flush()
            AsyncPGInstrumentor().uninstrument()  # type: ignore[no-untyped-call]


@pytest.fixture
async def traced(traces: Collector, make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


def _trace() -> tuple[str, str, dict[str, str]]:
    """A trace, the span in it that asks, and the header that says so."""
    trace, caller = secrets.token_hex(16), secrets.token_hex(8)
    return trace, caller, {"traceparent": f"00-{trace}-{caller}-01"}


def _sent(collector: Collector, trace: str) -> list[Span]:
    tracing.flush()
    return collector.trace(trace)


def _statements(spans: list[Span]) -> list[Span]:
    return [span for span in spans if span.attributes.get("db.system.name") == "postgresql"]


def test_without_a_collector_nothing_is_installed() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    ran = subprocess.run([sys.executable, "-c", _OFF], env=environment, capture_output=True, text=True, check=True)
    said = (
        "['function', 'function'] ['RequestId', 'AdmissionControl', 'HeadAsGet', 'BodyLimit', 'Dispatch'] RequestId []"
    )
    assert ran.stdout.splitlines()[-1] == said


async def test_a_request_and_its_statements_are_one_trace(traced: Harness, traces: Collector) -> None:
    trace, caller, asked = _trace()
    answer = await traced.client.post("/v1/notes", json={"text": _NAME}, headers=asked)
    assert answer.status_code == 201
    spans = _sent(traces, trace)
    (server,) = [span for span in spans if span.parent == caller]
    assert server.name == "POST /v1/notes"
    assert (server.attributes["http.route"], server.attributes["http.response.status_code"]) == ("/v1/notes", 201)
    statements = _statements(spans)
    assert {span.parent for span in statements} == {server.span}
    assert len(statements) == len(spans) - 1
    queries = [span.attributes["db.query.text"] for span in statements]
    assert any("INSERT INTO outbox" in query and "$1" in query for query in queries), queries
    assert [row["traceparent"] for row in await traced.admin.fetch("SELECT traceparent FROM outbox")] == [
        f"00-{trace}-{server.span}-01"
    ]


async def test_nothing_that_people_wrote_is_in_a_span(traced: Harness, traces: Collector) -> None:
    trace, _, asked = _trace()
    client = traced.client
    headers = {**asked, "User-Agent": f"{_NAME}/1"}
    await client.post("/v1/notes", json={"text": _NAME}, headers=headers)
    assert (await client.get(f"/v1/notes?text={_NAME}", headers=headers)).status_code < 500
    assert (await client.get(f"/v1/{_NAME}", headers=headers)).status_code == 404
    with pytest.raises(DBAPIError), tracing.span("spelt wrong", SpanKind.INTERNAL, asked["traceparent"]):
        async with traced.tx() as tx:
            await tx.execute(text("SELECT cast(:value AS text)::bigint"), {"value": _NAME})
    spans = _sent(traces, trace)
    failed = {span.name: span.attributes["error.type"] for span in spans if "error.type" in span.attributes}
    assert failed["SELECT"] == "InvalidTextRepresentationError"
    assert "spelt wrong" in failed
    assert {"POST /v1/notes", "GET /v1/notes", "GET"} <= {span.name for span in spans}
    assert not traces.holds(_NAME)


async def test_whoever_polls_begins_no_trace(traced: Harness, traces: Collector) -> None:
    async with traced.tx() as tx:
        await tx.execute(text("SELECT 'polled'"))
    tracing.flush()
    assert not traces.holds("polled")


async def test_facts_that_are_applied_at_once_stay_in_their_traces(traced: Harness, traces: Collector) -> None:
    """The statements of a batch belong to its first fact, to which the others are linked."""
    first, second = _trace(), _trace()
    key, other = uuid7(), uuid7()
    records = []
    for one, (_, _, handed) in ((key, first), (other, second)):
        plain = await traced.deliver(Asked(key=one, text="hi"), aggregate_id=one)
        headers = {name: value.decode() for name, value in plain.headers}
        records.append(traced.record(plain.topic, plain.key, plain.value, headers | handed | {"ce_sequence": "2"}))
    await traced.redeliver(*records)
    async with traced.tx() as tx:
        assert (await tx.get_one(Heard, (traced.tenant, other))).times == 2
    tracing.flush()
    spans = {trace: traces.trace(trace) for trace in (first[0], second[0])}
    heard = {trace: next(span for span in found if span.name.startswith("toy.heard")) for trace, found in spans.items()}
    assert (heard[first[0]].parent, heard[second[0]].parent) == (first[1], second[1])
    assert heard[first[0]].attributes["messaging.batch.message_count"] == 2
    assert (heard[first[0]].links, heard[second[0]].links) == ((), (heard[first[0]].span,))
    inserts = [span for span in _statements(spans[first[0]]) if "INTO heard" in span.attributes["db.query.text"]]
    assert len(inserts) == 2
    assert {span.parent for span in inserts} == {heard[first[0]].span}


async def test_a_head_that_is_no_text_is_served_without_a_span(traced: Harness, traces: Collector) -> None:
    trace, _, asked = _trace()
    odd = [(b"user-agent", b"\xff\\x"), (b"traceparent", asked["traceparent"].encode())]
    answer = await traced.anonymous().get("/v1/notes", headers=httpx2.Headers(odd))
    assert answer.status_code == 401
    assert _sent(traces, trace) == []


async def test_requests_are_measured_once(
    traces: Collector, make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the instrumentor while there is one: with the labels that they have without it."""
    monkeypatch.setattr(metrics, "_provider", None)
    metrics.install("toy")
    try:
        toy = await make_harness(service)
        assert (await toy.client.post("/v1/notes", json={"text": "x"})).status_code == 201
        assert (await toy.client.get("/health/live")).status_code == 200
    finally:
        metrics.flush()
        metrics._instruments.clear()
    labels = {"http.request.method": "POST", "http.route": "/v1/notes", "http.response.status_code": 201}
    measured = traces.points("toy", "http.server.request.duration")
    assert measured
    assert all(series == labels for series in measured)
    assert not [name for name in traces.metric_names("toy") if name.endswith(("body.size", "active_requests"))]
