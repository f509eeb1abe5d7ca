"""Every operation of orders once: drafts that are changed and dropped, orders that are confirmed, held, released and cancelled, and returns."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from approvals import answer
from invariants.walk import Walker

from contracts import approvals, catalog, credit, customers, inventory, orders, shipments
from tailrace.core.ids import uuid7


async def walk(w: Walker) -> None:
    item, north, pieces = uuid7(), uuid7(), uuid7()
    counted = catalog.UnitCreated(
        unit_id=pieces, code="pcs", name="Piece", dimension="count", factor=Decimal(1), decimals=0
    )
    await w.tell(counted, aggregate_id=pieces)
    told = catalog.ItemCreated(item_id=item, sku="BOLT", name="Bolt", unit="pcs", tax_rate=Decimal("0.1"))
    await w.tell(told, aggregate_id=item)
    await w.tell(catalog.WarehouseCreated(warehouse_id=north, code="N", name="North"), aggregate_id=north)
    hour = catalog.ItemCreated(
        item_id=uuid7(), sku="HOUR", name="Hour", kind="service", unit="pcs", tax_rate=Decimal("0.1")
    )
    await w.tell(hour, aggregate_id=hour.item_id)
    line = {"item_id": str(item), "warehouse_id": str(north), "quantity": "10", "unit_price": "100"}
    terms = {
        "customer_reference": "C-1",
        "customer_name": "Ada Works",
        "currency": "EUR",
        "ship_to": {"lines": ["12 Analytical Row"], "city": "Ockham", "country": "GB"},
        "lines": [line],
    }

    draft = await w.post("/v1/orders", terms)
    await w.post("/v1/orders/bulk", {"items": [terms, {**terms, "customer_reference": "C-3"}]})
    await w.get("/v1/orders")
    await w.get("/v1/orders/{order_id}", order_id=draft["id"])
    await w.put("/v1/orders/{order_id}", {**terms, "customer_reference": "C-2"}, order_id=draft["id"])
    await w.delete("/v1/orders/{order_id}", order_id=draft["id"])

    order = await w.post("/v1/orders", terms)
    act = "/v1/orders/{order_id}"
    await w.post(f"{act}/confirm", {"reprice": True}, order_id=order["id"])
    await w.pump()
    await _nothing_in_stock(w)
    await w.get(f"{act}/history", order_id=order["id"])
    await w.post(f"{act}/allocate", order_id=order["id"])
    await w.post(f"{act}/hold", {"reason": "credit check"}, order_id=order["id"])
    await w.post(f"{act}/resume", order_id=order["id"])
    await w.post(f"{act}/cancel", {"reason": "changed their mind"}, order_id=order["id"])
    await _changed_twice(w, terms)
    await _performed(w, {**terms, "lines": [{**line, "item_id": str(hour.item_id)}]})
    await _on_credit(w, terms)
    await w.imports(
        "/v1/orders/import",
        "/v1/orders/jobs",
        "customer_reference,customer_name,currency,lines.sku,lines.warehouse,quantity,net\nI-1,Ada,EUR,NONE,NONE,1,100\n",
        "customer_reference,customer_name,currency,lines.sku,lines.warehouse,quantity,net\nI-2,Ada,EUR,NONE,NONE,1,100\n",
    )
    await _returns(w, terms)


async def _changed_twice(w: Walker, terms: dict[str, Any]) -> None:
    """What binds is taken back, and confirmed again as it is then."""
    order = await w.post("/v1/orders", terms)
    act = "/v1/orders/{order_id}"
    for _ in range(2):
        await w.post(f"{act}/confirm", order_id=order["id"])
        await w.pump()
        await _nothing_in_stock(w)
        await w.post(f"{act}/reopen", {"reason": "another size"}, order_id=order["id"])
        await w.pump()
    await w.get(f"{act}/versions", order_id=order["id"])


async def _performed(w: Walker, terms: dict[str, Any]) -> None:
    """Of ten hours three are worked, and then the others."""
    order = await w.post("/v1/orders", {**terms, "confirm": True})
    await w.pump()
    part = {"lines": [{"line_id": order["lines"][0]["id"], "quantity": "3"}]}
    for body in (part, {}):
        await w.post("/v1/orders/{order_id}/perform", body, order_id=order["id"])
        await w.pump()


async def _returns(w: Walker, terms: dict[str, Any]) -> None:
    """Of ten that left, some are asked for and cancelled, some are authorised."""
    at, one = "/v1/return-reasons", "/v1/return-reasons/{return_reason_id}"
    reason = await w.post(at, {"code": "BROKEN", "name": "Broken"})
    other = await w.post(at, {"code": "LATE", "name": "Came too late"})
    await w.post(at, {"code": "COLOUR", "name": "Another colour"})
    await w.get(at)
    await w.get(one, return_reason_id=reason["id"])
    await w.put(one, {"code": "BROKEN", "name": "Broken on its way"}, return_reason_id=reason["id"])
    await w.delete(one, return_reason_id=other["id"])
    await w.post(f"{one}/restore", return_reason_id=other["id"])

    order = await w.post("/v1/orders", terms)
    shipment = await _left(w, order)
    await w.get("/v1/orders/{order_id}/returnable", order_id=order["id"])
    line = {"shipment_id": str(shipment), "line_id": order["lines"][0]["id"], "quantity": "1"}
    asked = {"order_id": order["id"], "return_reason_id": reason["id"], "lines": [line], "note": "A crack."}
    made = await w.post("/v1/returns", {**asked, "fee": {"net": 50, "tax_rate": "0.1"}})
    dropped = await w.post("/v1/returns", asked)
    await w.get("/v1/returns")
    act = "/v1/returns/{return_id}"
    await w.get(act, return_id=made["id"])
    await w.post(f"{act}/authorise", return_id=made["id"])
    await w.post(f"{act}/cancel", {"reason": "kept after all"}, return_id=dropped["id"])


async def _left(w: Walker, order: dict[str, Any]) -> UUID:
    """All of an order leaves."""
    lines = [
        shipments.DispatchedLine(
            **{name: line[name] for name in ("item_id", "sku", "name", "warehouse_id", "quantity")},
            line_id=line["id"],
            line_quantity=line["quantity"],
            line_net=line["net"],
            line_tax=line["tax"],
            dispatched_before=Decimal(0),
        )
        for line in order["lines"]
    ]
    event = shipments.ShipmentDispatched(
        shipment_id=uuid7(),
        order_id=order["id"],
        reservation_id=uuid7(),
        number="SO-000001-1",
        currency="EUR",
        lines=lines,
        dispatched_at=datetime.now(UTC),
    )
    await w.tell(event, aggregate_id=event.shipment_id)
    return event.shipment_id


async def _on_credit(w: Walker, terms: dict[str, Any]) -> None:
    """A customer may owe nothing; the company's matrix asks nobody, and a person lets the order go on."""
    ada = uuid7()
    told = customers.CustomerCreated(
        customer_id=ada,
        number="C-1",
        name="Ada Works",
        kind="company",
        status="active",
        currency="EUR",
        payment_terms_days=14,
    )
    await w.tell(told, aggregate_id=ada)
    limit = customers.CustomerCreditChanged(
        customer_id=ada, credit_limit=0, previous_credit_limit=None, currency="EUR", reason="unknown to us"
    )
    await w.tell(limit, aggregate_id=ada)
    await w.get("/v1/orders/credit-policy")
    await w.put("/v1/orders/credit-policy", {"overdue_days": 10})
    await w.get("/v1/orders/credit/{customer_id}", customer_id=ada)
    order = await w.post("/v1/orders", {**terms, "customer_id": str(ada)})
    await w.post("/v1/orders/{order_id}/confirm", order_id=order["id"])
    asked = (await w.h.published("order.credit_held", tenant=w.tenant))[-1].event
    assert isinstance(asked, credit.OrderCreditHeld)
    nobody = answer(approvals.ApprovalApproved, asked.subject)
    await w.tell(nobody, aggregate_id=nobody.approval_id)
    await w.post("/v1/orders/{order_id}/release", {"reason": "a good customer"}, order_id=order["id"])


async def _nothing_in_stock(w: Walker) -> None:
    """Inventory answers the newest request: there is nothing."""
    asked = (await w.h.published("order.reservation_requested", tenant=w.tenant))[-1].event
    assert isinstance(asked, orders.ReservationRequested)
    refused = inventory.ReservationRejected(
        reservation_id=asked.reservation_id, order_id=asked.order_id, lines=[], reason="none left"
    )
    await w.tell(refused, aggregate_id=UUID(str(asked.reservation_id)))
    await w.pump()
