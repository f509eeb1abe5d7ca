"""Through the gateway: what a write said in `Tailrace-Event` is seen by whoever sends it back as `Tailrace-After`, one hop on."""

import asyncio
from functools import partial
from typing import Any

import httpx2
from company import OPENING, PRICE, Company

from tailrace.core.ids import uuid7
from tailrace_testing.gateway import Gateway, Member, eventually


async def _after(write: httpx2.Response, member: Member, method: str, path: str, **options: Any) -> httpx2.Response:
    """The answer to a request that names what `write` did. Only a late service is asked again, as its 503, or the gateway, tells a client to."""
    assert write.status_code < 300, write.text
    headers = {"Tailrace-After": write.headers["tailrace-event"]}
    key = str(uuid7())
    return await eventually(
        lambda: member.send(method, path, key=key, headers=headers, **options),
        lambda answer: answer.status_code not in {502, 503, 504},
        what=f"{method} {path} after {headers['Tailrace-After']}",
    )


async def test_an_item_can_be_ordered_in_the_moment_it_is_made(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    for number in range(10):
        body = {"sku": f"NEW-{number}", "name": "New", "unit": "pcs", "tax_rate": "0.1"}
        item = await member.send("POST", "/v1/items", json=body)
        order = company.body(1, confirm=False)
        order["lines"][0]["item_id"] = item.json()["id"]
        answer = await _after(item, member, "POST", "/v1/orders", json=order)
        assert answer.status_code == 201, answer.text
        receipt = {"item_id": item.json()["id"], "warehouse_id": company.warehouse_id, "quantity": "1", "value": 5}
        answer = await _after(
            item, member, "POST", "/v1/inventory/receipts", json={**receipt, "currency": "EUR", "reason": "opening"}
        )
        assert answer.status_code == 201, answer.text


async def test_what_left_is_booked_issued_and_seen_by_its_order(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    shipped = 0
    for quantity in (3, 4, 5):
        order = await company.order(quantity)
        (shipment,) = await eventually(partial(company.shipments, order["id"]), bool, what="a shipment")
        dispatch = await member.send("POST", f"/v1/shipments/{shipment['id']}/dispatch", json={"tracking_number": "T"})
        shipped += quantity
        trial, stock, seen = await asyncio.gather(
            _after(dispatch, member, "GET", "/v1/accounting/trial-balance"),
            _after(dispatch, member, "GET", f"/v1/inventory/stock/{company.item_id}/{company.warehouse_id}"),
            _after(dispatch, member, "GET", f"/v1/orders/{order['id']}"),
        )
        balances = {row["account"]: row["debit"] - row["credit"] for row in trial.json()["rows"]}
        assert balances["4000"] == -shipped * PRICE
        assert float(stock.json()["on_hand"]) == OPENING - shipped
        assert (seen.status_code, seen.json().get("shipment")) == (200, "full"), seen.text


async def test_what_never_comes_is_a_503_within_the_gateways_timeout(gateway: Gateway) -> None:
    member = await gateway.new_tenant()
    loop = asyncio.get_running_loop()

    async def ask(mark: str) -> tuple[httpx2.Response, float]:
        began = loop.time()
        answer = await member.send("GET", "/v1/orders", headers={"Tailrace-After": mark})
        return answer, loop.time() - began

    never = f"catalog.events/{uuid7()}@1"
    for answer, took in await asyncio.gather(*[ask(never) for _ in range(8)]):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["type"] == "urn:tailrace:problem:not-yet-consistent"
        assert took >= 0.9
    for passes in (f"order.events/{uuid7()}@9", f"no.such.topic/{uuid7()}@9"):
        answer, _ = await ask(passes)
        assert answer.status_code == 200, passes
    answer, _ = await ask("yesterday")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Tailrace-After")
