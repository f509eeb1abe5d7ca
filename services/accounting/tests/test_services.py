"""Services that were performed are sold then, and invoiced as what left is: alone, or beside goods."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from billing import ISSUER, Billing
from performing import perform, performed
from settling import settle
from sqlalchemy import select

from accounting.invoices.copies import DeliveryCopy
from tailrace.db.database import Tx
from tailrace_testing import today


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


async def test_what_is_taken_back_is_credited_as_it_was_invoiced_to_the_minor_unit(billing: Billing) -> None:
    """1,003 for seven hours, and a tax of 10 %, 100: two of them are 286.57 and 28.57, the rest is what is left."""
    order = await billing.order(("7", 1_003, "0.1"))
    id = UUID(await perform(billing, order, "7"))
    invoice = await billing.issue(await billing.post("/invoices", shipment_ids=[str(id)]))
    first = await settle(billing, order, id, "2")
    assert (first.credited_net, first.credited_tax, len(first.credit_notes), first.unbilled) == (287, 29, 1, [])
    assert await billing.balances() == {"1200": 787, "4000": -716, "2200": -71}
    rest = await settle(billing, order, id, "5")
    assert (rest.credited_net, rest.credited_tax) == (716, 71)
    assert (await billing.read(invoice))["status"] == "credited"
    assert await billing.balances() == {}


async def test_what_is_taken_back_before_it_was_invoiced_is_invoiced_no_more(billing: Billing) -> None:
    order = await billing.order(("7", 1_003, "0.1"), ("4", 400, "0.1"))
    shipment = await billing.ship(order, "0", "4")
    id = UUID(await perform(billing, order, "7"))
    draft = await billing.post("/invoices", order_id=str(order.id))
    of_draft = await settle(billing, order, id, "3")
    assert (of_draft.unbilled_net, of_draft.unbilled_tax, of_draft.credit_notes) == (430, 43, [])
    assert [(line["quantity"], line["net"]) for line in (await billing.read(draft))["lines"]] == [
        ("4", 400),
        ("4", 573),
    ]
    await billing.h.client.delete(f"/v1/accounting/invoices/{draft['id']}")
    of_none = await settle(billing, order, id, "1")
    assert (of_none.unbilled_net, of_none.unbilled[0].shipment_id) == (143, id)
    rest = await settle(billing, order, id, "3")
    assert (rest.unbilled_net, rest.unbilled_tax) == (1_003 - 430 - 143, 100 - 43 - 14)
    issued = await billing.issue(await billing.post("/invoices", order_id=str(order.id)))
    assert [(line["shipment_id"], line["net"]) for line in issued["lines"]] == [(str(shipment), 400)], "the goods alone"
    assert await billing.balances() == {"1200": 440, "4000": -400, "2200": -40}


async def test_no_more_of_a_part_is_taken_off_than_it_had_however_often_it_is_said(billing: Billing) -> None:
    order = await billing.order(("7", 1_003, "0.1"))
    id = UUID(await perform(billing, order, "7"))
    said = [await settle(billing, order, id, "5") for _ in range(3)]
    assert [[each.quantity for each in one.unbilled] for one in said] == [[5], [2], []]
    assert sum(one.unbilled_net for one in said) == 1_003
    assert await billing.balances() == {}


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
