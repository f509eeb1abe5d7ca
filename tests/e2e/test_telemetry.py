"""One trace follows an order from the gateway through outbox and Kafka into four processes; metrics and log lines say what an operator needs."""

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
import pytest
from company import Company, founded

from tailrace.stack.embedded import Stack
from tailrace_testing.collector import Collector, Span
from tailrace_testing.gateway import eventually

GAUGES = {
    "tailrace_consumer_lag",
    "tailrace_dead_letters",
    "tailrace_slot_retained_bytes",
    "tailrace_slot_active",
    "tailrace_outbox_age_seconds",
    "tailrace_database_connections",
}


@pytest.fixture(scope="module")
async def company(fleet: Stack) -> AsyncIterator[Company]:
    async with founded(fleet) as company:
        yield company


async def test_one_trace_leads_from_the_gateway_to_every_read_model(company: Company, collector: Collector) -> None:
    trace, caller = secrets.token_hex(16), secrets.token_hex(8)
    asked = {"traceparent": f"00-{trace}-{caller}-01"}
    answer = await company.member.send("POST", "/v1/orders", json=company.body(3), headers=asked)
    order = answer.json()["id"]
    await eventually(lambda: company.shipments(order), bool, what="a shipment")

    async def spans() -> list[Span]:
        return collector.trace(trace)

    def whole(found: list[Span]) -> bool:
        """Four processes, and nobody's parent is still on its way."""
        known = {span.span for span in found} | {caller}
        services = {span.service for span in found}
        return {"gateway", "orders", "inventory", "shipping"} <= services and {span.parent for span in found} <= known

    found = await eventually(spans, whole, what="one trace through four processes")
    first = next(span for span in found if span.service == "gateway")
    assert (first.parent, first.name) == (caller, "POST /v1/orders")
    assert order not in str([span.name for span in found]), "names hold routes, never ids"
    by_id = {span.span: span for span in found}
    statements = [span for span in found if span.attributes.get("db.system.name") == "postgresql"]
    assert "POST /v1/orders" in {by_id[span.parent].name for span in statements}
    assert {by_id[span.parent].service for span in statements} >= {"orders", "inventory", "shipping"}
    assert all(by_id[span.parent].service == span.service for span in statements)


async def test_a_parent_is_always_there_in_the_end(company: Company, collector: Collector) -> None:
    trace = secrets.token_hex(16)
    body = {"sku": "TRACED", "name": "Traced", "unit": "pcs", "tax_rate": "0.1"}
    asked = {"traceparent": f"00-{trace}-{'1' * 16}-01"}
    assert (await company.member.send("POST", "/v1/items", json=body, headers=asked)).status_code == 201

    async def orphans() -> set[str] | None:
        found = collector.trace(trace)
        listening = {"gateway", "catalog", "orders", "inventory"}
        if not listening <= {span.service for span in found}:
            return None
        return {span.parent for span in found} - {span.span for span in found} - {"1" * 16}

    await eventually(orphans, lambda missing: missing == set(), what="a trace without a missing link")


async def test_prometheus_finds_requests_and_gauges(fleet: Stack, company: Company) -> None:
    await company.order(1)
    ports = fleet.plan.ports.services
    async with httpx2.AsyncClient() as client:

        async def scrape() -> str:
            return (await client.get(f"http://127.0.0.1:{ports['orders']}/metrics")).text

        text = await eventually(scrape, lambda found: all(gauge in found for gauge in GAUGES), what="every gauge")
        counts = [each for each in text.splitlines() if 'http_route="/v1/orders"' in each and "_count{" in each]
        assert any('http_response_status_code="201"' in each for each in counts), counts
        assert "saga" in text
        edge = (await client.get(f"{fleet.gateway_url}/metrics")).text
        assert 'http_route="/v1/orders"' in edge
        assert company.item_id not in edge + text


@pytest.mark.parametrize("service", ["orders", "gateway"])
async def test_metrics_leave_by_otlp_too(service: str, company: Company, collector: Collector) -> None:
    await company.order(1)

    created = {"http.request.method": "POST", "http.route": "/v1/orders", "http.response.status_code": 201}

    async def series() -> list[Mapping[str, Any]]:
        return collector.points(service, "http.server.request.duration")

    await eventually(series, lambda found: created in found, what="metrics by OTLP")


async def test_log_lines_carry_tenant_request_and_trace_and_nothing_personal(
    fleet: Stack, company: Company, collector: Collector
) -> None:
    trace, request = secrets.token_hex(16), "01a1fd74-6b02-7124-96fc-806fe5689aa3"
    asked = {"traceparent": f"00-{trace}-{'1' * 16}-01", "X-Request-Id": request}
    body = {**company.body(1), "customer_name": "Aurelia Whisperwind"}
    answer = await company.member.send("POST", "/v1/orders", json=body, headers=asked)
    assert answer.status_code == 201
    for service in ("gateway", "orders"):
        line = await _line(fleet, service, trace)
        assert (line["request_id"], line["service"], line["status"]) == (request, service, 201)
        assert line["tenant"]
    await eventually(lambda: company.shipments(answer.json()["id"]), bool, what="a shipment")
    assert not collector.holds("Whisperwind")
    for service in fleet.plan.ports.services:
        assert "Whisperwind" not in fleet.plan.layout.log(service).read_text()


async def _line(fleet: Stack, service: str, trace: str) -> dict[str, Any]:
    """The service's line about the request of this trace, which it writes when the answer has been sent."""

    async def lines() -> list[dict[str, Any]]:
        log = fleet.plan.layout.log(service).read_text()
        found = [json.loads(line) for line in log.splitlines(keepends=True) if line[0] == "{" and line[-1] == "\n"]
        return [line for line in found if line.get("trace_id") == trace]

    return (await eventually(lines, bool, what=f"a line of {service}"))[0]
