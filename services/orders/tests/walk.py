"""Every operation of orders once: drafts that are changed and dropped, and orders that are confirmed, held, released, resumed and cancelled."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from approvals import answer
from invariants.walk import Walker

from contracts import approvals, catalog, credit, customers, inventory, orders
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
    await _on_credit(w, terms)
    await w.imports(
        "/v1/orders/import",
        "/v1/orders/jobs",
        "customer_reference,customer_name,currency,lines.sku,lines.warehouse,quantity,net\nI-1,Ada,EUR,NONE,NONE,1,100\n",
        "customer_reference,customer_name,currency,lines.sku,lines.warehouse,quantity,net\nI-2,Ada,EUR,NONE,NONE,1,100\n",
    )


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
