"""An accepted quote becomes an order once, as it was quoted; and an order is taken for a customer who is known."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from contracts import catalog, customers
from contracts.orders import Address
from contracts.quotes import QuoteAccepted, QuotedItem
from tailrace.core.ids import uuid7

from .conftest import Desk

AT = "/v1/orders"


def accepted(desk: Desk, **given: Any) -> QuoteAccepted:
    """Ten bolts, quoted at a price that nobody has today, and with the tax of today."""
    line = QuotedItem(
        line_id=uuid7(),
        item_id=desk.bolt,
        sku="BOLT",
        name="Bolt, as quoted",
        unit="pcs",
        decimals=0,
        quantity=Decimal(10),
        unit_price=Decimal("99.9"),
        net=999,
        tax_code=None,
        tax_rate=Decimal("0.1"),
        tax=100,
    )
    said: dict[str, Any] = {
        "quote_id": uuid7(),
        "number": "Q-2026-00001",
        "revision": 2,
        "customer_id": uuid7(),
        "customer_name": "Ada Works",
        "customer_reference": "PO-7",
        "accepted_at": datetime.now(UTC),
        "currency": "EUR",
        "warehouse_id": desk.north,
        "ship_to": Address(lines=["12 Analytical Row"], city="Ockham", country="GB"),
        "net": 999,
        "tax": 100,
        "lines": [line],
    }
    return QuoteAccepted(**{**said, **given})


async def only_order(desk: Desk, event: QuoteAccepted) -> dict[str, Any]:
    page = await desk.h.client.get(AT, params={"quote_id": str(event.quote_id)})
    (order,) = page.json()["items"]
    return await desk.read(order)


async def test_an_accepted_quote_is_ordered_once_and_as_quoted(desk: Desk) -> None:
    event = accepted(desk)
    record = await desk.h.deliver(event, aggregate_id=event.quote_id)
    await desk.h.redeliver(record)
    again = event.model_copy()
    await desk.h.deliver(again, aggregate_id=event.quote_id)
    order = await only_order(desk, event)
    assert (order["status"], order["quote_number"], order["quote_revision"]) == ("confirmed", "Q-2026-00001", 2)
    assert (order["customer_id"], order["customer_name"], order["customer_reference"]) == (
        str(event.customer_id),
        "Ada Works",
        "PO-7",
    )
    assert (order["net"], order["tax"], order["total"]) == (999, 100, 1099)
    (line,) = order["lines"]
    assert (line["name"], line["unit_price"], line["tax_rate"]) == ("Bolt, as quoted", "99.9", "0.1")
    assert order["ship_to"]["city"] == "Ockham"
    (created,) = await desk.asked("order.created")
    assert (created.quote_id, created.quote_revision) == (event.quote_id, 2)
    await desk.h.pump()
    assert len(await desk.asked("order.reservation_requested")) == 1


async def test_a_quoted_service_is_ordered_as_one(desk: Desk) -> None:
    event = accepted(desk)
    hours = event.lines[0].model_copy(update={"line_id": uuid7(), "item_id": desk.hour, "sku": "HOUR", "unit": "h"})
    event = event.model_copy(update={"lines": [hours]})
    await desk.h.deliver(event, aggregate_id=event.quote_id)
    await desk.h.pump()
    order = await only_order(desk, event)
    assert (order["status"], order["lines"][0]["kind"], await desk.states(order)) == (
        "confirmed",
        "service",
        ["performing"],
    )
    done = await desk.act(order, "perform")
    assert (done["shipment"], done["lines"][0]["shipped"]) == ("full", "10")


async def test_it_is_due_as_the_quote_said(desk: Desk) -> None:
    event = accepted(desk, payment_terms_days=60)
    await desk.h.deliver(event, aggregate_id=event.quote_id)
    assert (await only_order(desk, event))["payment_terms_days"] == 60
    (created,), (confirmed,) = await desk.asked("order.created"), await desk.asked("order.confirmed")
    assert (created.payment_terms_days, confirmed.payment_terms_days) == (60, 60)
    before = accepted(desk, number="Q-2026-00002")
    await desk.h.deliver(before, aggregate_id=before.quote_id)
    assert (await only_order(desk, before))["payment_terms_days"] is None, "quotes did not say it then"


async def test_a_draft_of_a_quote_is_confirmed_at_its_own_price_and_not_changed(desk: Desk) -> None:
    event = accepted(desk, confirm_order=False)
    await desk.h.deliver(event, aggregate_id=event.quote_id)
    order = await only_order(desk, event)
    assert order["status"] == "draft"
    refused = await desk.h.client.put(f"{AT}/{order['id']}", json=desk.body())
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:order-bound-by-quote")
    confirmed = await desk.act(order, "confirm")
    assert (confirmed["status"], confirmed["net"], confirmed["tax"]) == ("confirmed", 999, 100)
    repriced = accepted(desk, confirm_order=False)
    await desk.h.deliver(repriced, aggregate_id=repriced.quote_id)
    asked = await desk.act(await only_order(desk, repriced), "confirm", reprice=True)
    assert (asked["net"], asked["tax"]) == (999, 100)


@pytest.mark.parametrize("when", ["before it is accepted", "after"])
async def test_what_was_quoted_is_taxed_as_on_the_day_that_it_binds(desk: Desk, when: str) -> None:
    event = accepted(desk, confirm_order=when != "after")
    if when != "after":
        await desk.item(desk.bolt, "BOLT", tax="0.12")
    await desk.h.deliver(event, aggregate_id=event.quote_id)
    if when == "after":
        await desk.item(desk.bolt, "BOLT", tax="0.12")
    order = await only_order(desk, event)
    assert (order["status"], order["tax"]) == ("draft", 100), "somebody has to agree to another tax"
    refused = await desk.act(order, "confirm", 409)
    assert (refused["type"], [each["field"] for each in refused["errors"]]) == (
        "urn:tailrace:problem:price-changed",
        ["/lines/0/tax_rate"],
    )
    assert (await desk.act(order, "confirm", 409, reprice=True, expected_total=1099))["errors"][0]["field"] == (
        "/expected_total"
    )
    now = await desk.act(order, "confirm", reprice=True, expected_total=1119)
    assert (now["status"], now["net"], now["tax"], now["lines"][0]["unit_price"]) == ("confirmed", 999, 120, "99.9")


async def test_what_has_no_rate_of_tax_any_more_is_a_draft_that_somebody_looks_at(desk: Desk) -> None:
    code = uuid7()
    await desk.tax_code(code, "LATER", ("2150-01-01", "0.1"))
    await desk.item(desk.bolt, "BOLT", code=code)
    event = accepted(desk)
    await desk.h.deliver(event, aggregate_id=event.quote_id)
    order = await only_order(desk, event)
    assert order["status"] == "draft"
    refused = await desk.act(order, "confirm", 422, reprice=True)
    assert refused["errors"][0]["field"] == "/lines/0/item_id"


async def test_what_cannot_leave_any_more_is_a_draft_that_somebody_looks_at(desk: Desk) -> None:
    await desk.h.deliver(catalog.ItemDeleted(item_id=desk.bolt, sku="BOLT"), aggregate_id=desk.bolt)
    event = accepted(desk)
    await desk.h.deliver(event, aggregate_id=event.quote_id)
    assert (await only_order(desk, event))["status"] == "draft"


async def test_an_item_that_is_not_here_yet_is_waited_for(desk: Desk) -> None:
    late = uuid7()
    event = accepted(desk)
    event = event.model_copy(update={"lines": [event.lines[0].model_copy(update={"item_id": late})]})
    await desk.h.deliver(event, aggregate_id=event.quote_id, may_dead_letter=True)
    assert (await desk.h.client.get(AT)).json()["items"] == []
    await desk.item(late, "LATE", tax="0.1")
    await desk.h.redriver.redrive(("orders.quotes", event.quote_id))
    assert (await only_order(desk, event))["lines"][0]["item_id"] == str(late)


async def customer(desk: Desk, id: UUID, name: str) -> None:
    told = customers.CustomerUpdated(
        customer_id=id,
        number=name,
        name=name,
        kind="company",
        status="active",
        currency="EUR",
        payment_terms_days=30,
    )
    await desk.h.deliver(told, aggregate_id=id)


async def test_an_order_is_taken_for_a_customer(desk: Desk) -> None:
    ada, group = uuid7(), uuid7()
    await customer(desk, ada, "Ada Works")
    await customer(desk, group, "Ada Group")
    body = desk.body(customer_id=str(ada))
    del body["customer_name"]
    order = (await desk.h.client.post(AT, json=body)).json()
    assert (order["customer_id"], order["customer_name"]) == (str(ada), "Ada Works")
    named = await desk.create(customer_id=str(ada), customer_name="Ada, Plant 2")
    assert named["customer_name"] == "Ada, Plant 2"
    merged = customers.CustomerMerged(customer_id=ada, into_customer_id=group, reason="the same")
    await desk.h.deliver(merged, aggregate_id=ada)
    assert (await desk.create(customer_id=str(ada)))["customer_id"] == str(group)
    assert (await desk.read(order))["customer_id"] == str(ada), "what was ordered stays"
    found = await desk.h.client.get(AT, params={"customer_id": str(ada)})
    assert {one["id"] for one in found.json()["items"]} == {order["id"], named["id"]}
    assert (await desk.act(named, "confirm"))["customer_id"] == str(group), "and binds who they turned out to be"


@pytest.mark.parametrize("way", ["deleted", "unknown", "nobody", "young"])
async def test_a_customer_who_is_not_there_is_refused(desk: Desk, way: str) -> None:
    id = uuid7() if way == "young" else UUID("0196f0a0-0000-7000-8000-000000000000")
    if way == "deleted":
        await customer(desk, id, "Ada Works")
        await desk.h.deliver(customers.CustomerDeleted(customer_id=id, number="C-1"), aggregate_id=id)
    body = desk.body(customer_id=str(id))
    if way == "nobody":
        body = {name: value for name, value in body.items() if name not in ("customer_id", "customer_name")}
    refused = await desk.h.client.post(AT, json=body)
    assert refused.status_code == (409 if way == "young" else 422)
    fields = [error["field"] for error in refused.json()["errors"]]
    assert fields == (["/customer_id", "/customer_name"] if way == "nobody" else ["/customer_id"])
    assert await desk.asked("order.created") == []
