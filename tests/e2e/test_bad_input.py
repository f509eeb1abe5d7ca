"""What should not be sent is refused with a problem that names the field, and changes nothing; what should not be on a topic waits aside."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import way
from aiokafka import AIOKafkaProducer
from company import Company, founded

from tailrace.kafka import clients
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually


@pytest.fixture(scope="module")
async def refused(fleet: Stack) -> AsyncIterator[Company]:
    """Whose every request is, so that it has no order."""
    async with founded(fleet) as company:
        yield company


def _line(company: Company, **changes: Any) -> dict[str, Any]:
    return {**company.body(1)["lines"][0], **changes}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": "0"}, "/lines/0/quantity"),
        ({"quantity": "-1"}, "/lines/0/quantity"),
        ({"quantity": "1.0000001"}, "/lines/0/quantity"),
        ({"quantity": "NaN"}, "/lines/0/quantity"),
        ({"quantity": "1e40"}, "/lines/0/quantity"),
        ({"unit_price": "much"}, "/lines/0/unit_price"),
        ({"item_id": "PLATE"}, "/lines/0/item_id"),
        ({"tenant_id": str(uuid4())}, "/lines/0/tenant_id"),
    ],
)
async def test_a_wrong_line_is_named(refused: Company, change: dict[str, Any], field: str) -> None:
    company = refused
    answer = await company.member.send(
        "POST", "/v1/orders", json={**company.body(1), "lines": [_line(company, **change)]}
    )
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert await company.member.every("/v1/orders") == []


async def test_requests_that_are_no_requests(refused: Company, gateway: Gateway) -> None:
    company, member = refused, refused.member
    json_type = {"Content-Type": "application/json"}
    refusals = {
        "malformed": (await member.send("POST", "/v1/orders", content=b'{"lines": [', headers=json_type), 400),
        "too large": (
            await member.send("POST", "/v1/orders", content=b" " * (2 * 1024 * 1024 + 1), headers=json_type),
            413,
        ),
        "no such path": (await member.send("GET", "/v1/nothing"), 404),
        "no such order": (await member.send("GET", f"/v1/orders/{uuid4()}"), 404),
        "no token": (await gateway.client.get("/v1/orders"), 401),
        "a forged token": (
            await gateway.client.get("/v1/orders", headers={"Authorization": f"Bearer {member.token[:-6]}AAAAAA"}),
            401,
        ),
        "no key": (await member.send("POST", "/v1/orders", json=company.body(1), headers={"Idempotency-Key": ""}), 400),
        "injected": (await member.send("POST", "/v1/orders", json={**company.body(1), "tenant_id": str(uuid4())}), 422),
    }
    for name, (answer, status) in refusals.items():
        assert answer.status_code == status, f"{name}: {answer.status_code} {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json", name
        assert answer.json()["type"].startswith("urn:tailrace:problem:"), name
    assert await member.every("/v1/orders") == []


async def test_a_conflicting_change_changes_nothing(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    order = await company.order(1)
    stale = await company.member.send(
        "POST", f"/v1/orders/{order['id']}/hold", json={"reason": "x"}, headers={"If-Match": '"99"'}
    )
    assert stale.status_code == 412
    key = str(uuid4())
    first = await company.member.send("POST", "/v1/orders", json=company.body(1), key=key)
    same = await company.member.send("POST", "/v1/orders", json=company.body(1), key=key)
    other = await company.member.send("POST", "/v1/orders", json=company.body(2), key=key)
    assert (first.status_code, same.json(), other.status_code) == (201, first.json(), 422)
    assert len(await company.member.every("/v1/orders")) == 2


async def test_a_key_means_what_its_service_says_and_nothing_elsewhere(gateway: Gateway) -> None:
    member, key = await gateway.new_tenant(), str(uuid4())
    warehouse = {"code": "MAIN", "name": "Main"}
    carrier = {"code": "SNAIL", "name": "Snail & Co."}
    made = await member.send("POST", "/v1/warehouses", json=warehouse, key=key)
    elsewhere = await member.send("POST", "/v1/carriers", json=carrier, key=key)
    assert (made.status_code, elsewhere.status_code, elsewhere.json()["code"]) == (201, 201, "SNAIL")
    same_service = await member.send("POST", "/v1/items", json={"sku": "A"}, key=key)
    assert (same_service.status_code, same_service.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    for path, body, first in (("/v1/warehouses", warehouse, made), ("/v1/carriers", carrier, elsewhere)):
        again = await member.send("POST", path, json=body, key=key)
        assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")


async def test_a_malformed_event_becomes_a_dead_letter_and_the_others_go_on(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    marker = str(uuid4())
    producer = AIOKafkaProducer(**clients.connection(fleet.kafka), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for partition in range(6):
            await producer.send_and_wait("order.events", b"not an event", key=marker.encode(), partition=partition)
    finally:
        await producer.stop()
    order = await company.order(3)
    await company.ship(order["id"])
    await company.settled(fleet)
    letters = await eventually(
        lambda: _letters(fleet, "inventory.dlq", marker), lambda found: len(found) >= 6, what="six dead letters"
    )
    assert {letter["kind"] for letter in letters} == {"malformed"}
    assert all("ce_id is missing" in letter["reason"] and letter["value"] == "not an event" for letter in letters)


async def _letters(fleet: Stack, topic: str, key: str) -> list[dict[str, Any]]:
    found = [json.loads(record.value or b"") for record in await way.records(fleet.kafka, topic)]
    return [letter for letter in found if letter["key"] == key]
