"""Services that were performed are sold then, and invoiced as what left is: alone, or beside goods."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from billing import ISSUER, Billing, Ordered
from sqlalchemy import select

from accounting.invoices.copies import DeliveryCopy
from contracts.performances import PerformedLine, ServicesPerformed
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace_testing import today


def performed(order: Ordered, quantity: str, place: int = 0, at: datetime | None = None) -> ServicesPerformed:
    """So much of one line."""
    line = order.event.lines[place]
    before = order.left.get(line.line_id, Decimal(0))
    order.left[line.line_id] = before + Decimal(quantity)
    return ServicesPerformed(
        order_id=order.id,
        performance_id=uuid7(),
        number=f"{order.event.number}/1",
        currency=order.event.currency,
        lines=[
            PerformedLine(
                line_id=line.line_id,
                item_id=line.item_id,
                sku=line.sku,
                name=line.name,
                quantity=Decimal(quantity),
                line_quantity=line.quantity,
                line_net=line.net,
                line_tax=line.tax,
                performed_before=before,
            )
        ],
        performed_at=at or datetime.now(UTC),
    )


async def perform(billing: Billing, order: Ordered, quantity: str, place: int = 0, at: datetime | None = None) -> str:
    """It is heard as the order's own event."""
    event = performed(order, quantity, place, at)
    await billing.h.deliver(event, aggregate_id=order.id)
    return str(event.performance_id)


async def test_revenue_and_tax_are_booked_when_it_is_performed_and_owed_when_it_is_invoiced(billing: Billing) -> None:
    order = await billing.order(("8", 72_000, "0.1"))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    await perform(billing, order, "3", at=yesterday)
    assert await billing.balances() == {"1210": 29_700, "4000": -27_000, "2200": -2_700}
    invoice = await billing.post("/invoices", order_id=str(order.id))
    (line,) = invoice["lines"]
    assert (line["shipment_id"], line["performance_number"], line["quantity"], line["net"]) == (
        None,
        f"{order.event.number}/1",
        "3",
        27_000,
    )
    assert line["supplied_on"] == yesterday.date().isoformat()
    issued = await billing.issue(invoice)
    assert issued["total"] == 29_700
    assert await billing.balances() == {"1200": 29_700, "4000": -27_000, "2200": -2_700}
    await perform(billing, order, "5")
    await billing.issue(await billing.post("/invoices", order_id=str(order.id)))
    assert await billing.balances() == {"1200": 79_200, "4000": -72_000, "2200": -7_200}


async def test_goods_and_what_was_done_with_them_are_on_one_invoice(billing: Billing) -> None:
    order = await billing.order(("10", 10_000, "0.1"), ("2", 5_000, "0.1"))
    await billing.ship(order, "10", "0")
    await perform(billing, order, "2", 1)
    invoice = await billing.post("/invoices", order_id=str(order.id))
    assert [(line["performance_id"] is not None, line["net"]) for line in invoice["lines"]] == [
        (False, 10_000),
        (True, 5_000),
    ]
    await billing.issue(invoice)
    assert await billing.balances() == {"1200": 16_500, "4000": -15_000, "2200": -1_500}
    made = await billing.h.client.get(f"/v1/accounting/invoices/{invoice['id']}/document")
    assert (made.status_code, made.content[:5]) == (200, b"%PDF-")
    refused = await billing.post("/invoices", 409, order_id=str(order.id))
    assert refused["type"].endswith("nothing-to-invoice")


@pytest.mark.parametrize("mode", ["per_shipment", "periodic"])
async def test_it_is_invoiced_by_itself_as_what_leaves_is(billing: Billing, mode: str) -> None:
    day = today() - timedelta(days=1)
    await billing.put("/billing", mode=mode, closing_day=day.day, issues=True, issuer=ISSUER)
    order = await billing.order(("8", 72_000, "0.1"))
    await perform(billing, order, "8", at=datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12))
    for _ in range(2):
        await billing.close(day)
    (made,) = (await billing.get("/invoices"))["items"]
    assert (made["status"], made["total"]) == ("issued", 79_200)


async def test_what_was_not_performed_after_all_is_taken_back_by_a_credit_note(billing: Billing) -> None:
    order = await billing.order(("8", 72_000, "0.1"))
    id = await perform(billing, order, "8")
    invoice = await billing.issue(await billing.post("/invoices", shipment_ids=[id]))
    part = [{"line_id": invoice["lines"][0]["id"], "quantity": "2"}]
    await billing.post(f"/invoices/{invoice['id']}/credit-notes", reason="six hours", lines=part)
    assert await billing.balances() == {"1200": 59_400, "4000": -54_000, "2200": -5_400}


async def test_what_is_invoiced_already_is_refused_by_the_field_that_names_it(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await billing.order(("8", 72_000, "0.1"))
    id = await perform(billing, order, "8")
    await billing.post("/invoices", order_id=str(order.id))
    refused = await billing.post("/invoices", 409, shipment_ids=[id])
    assert refused["errors"] == [{"field": "/shipment_ids/0", "detail": f"{order.event.number}/1 is invoiced already."}]

    async def not_seen(tx: Tx, *within: Any, **until: Any) -> list[DeliveryCopy]:
        """As it was before the other invoice was committed."""
        return list(await tx.scalars(select(DeliveryCopy).where(DeliveryCopy.id == UUID(id))))

    monkeypatch.setattr("accounting.invoices.commands.uninvoiced", not_seen)
    for field, value in (("shipment_ids", [id]), ("order_id", str(order.id)), ("customer_id", str(billing.ada))):
        refused = await billing.post("/invoices", 409, **{field: value})
        assert refused["type"].endswith("already-invoiced")
        assert [each["field"] for each in refused["errors"]] == [f"/{field}"]


async def test_it_is_heard_once(billing: Billing) -> None:
    order = await billing.order(("8", 72_000, "0.1"))
    record = await billing.h.deliver(performed(order, "8"), aggregate_id=order.id)
    await billing.h.redeliver(record)
    assert await billing.balances() == {"1210": 79_200, "4000": -72_000, "2200": -7_200}
    invoice = await billing.post("/invoices", order_id=str(order.id))
    assert len(invoice["lines"]) == 1
