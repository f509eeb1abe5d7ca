"""What came back is credited where it was invoiced, and is on no invoice where it was not, however that was mixed; the fee is asked for once."""

import asyncio
from decimal import Decimal
from uuid import UUID

from billing import Billing
from settling import request, settle

LINES = (("7", 1_003, "0.1"), ("3", 335, "0.1"))


async def test_an_invoice_is_credited_and_the_fee_has_one_of_its_own(billing: Billing) -> None:
    order = await billing.order(*LINES)
    shipment = await billing.ship(order)
    invoice = await billing.issue(await billing.post("/invoices", shipment_ids=[str(shipment)]))
    done = [await settle(billing, order, shipment, *each) for each in (("2", "1"), ("1",), ("4", "2"))]
    assert (sum(each.credited_net for each in done), sum(each.credited_tax for each in done)) == (1_338, 134)
    assert [(len(each.credit_notes), each.unbilled_net) for each in done] == [(1, 0)] * 3
    assert (await billing.read(invoice))["status"] == "credited"
    assert await billing.balances() == {}
    again = await settle(billing, order, shipment, "1", fee=50)
    assert (again.credited_net, again.credit_notes, again.fee) == (0, [], 55), "nothing is left of the invoice"
    fee = await billing.get(f"/invoices/{again.fee_invoice_id}")
    assert (fee["status"], fee["total"], fee["lines"][0]["name"]) == (
        "issued",
        55,
        "Restocking fee for return RT-000001",
    )
    assert await billing.balances() == {"1200": 55, "4000": -50, "2200": -5}


async def test_what_was_credited_by_hand_is_not_credited_again(billing: Billing) -> None:
    order = await billing.order(("4", 400, "0.1"))
    shipment = await billing.ship(order)
    invoice = await billing.issue(await billing.post("/invoices", shipment_ids=[str(shipment)]))
    by_hand = {"line_id": invoice["lines"][0]["id"], "net": 350}
    await billing.post(f"/invoices/{invoice['id']}/credit-notes", reason="A discount.", lines=[by_hand])
    assert (await settle(billing, order, shipment, "2")).credited_net == 50
    assert await billing.balances() == {}


async def test_a_draft_asks_for_less_and_is_dropped_when_nothing_is_left(billing: Billing) -> None:
    order = await billing.order(*LINES)
    shipment = await billing.ship(order)
    draft = await billing.post("/invoices", shipment_ids=[str(shipment)])
    first = await settle(billing, order, shipment, "2", "3")
    assert (first.unbilled_net, [each.quantity for each in first.unbilled], first.credit_notes) == (
        287 + 335,
        [Decimal(2), Decimal(3)],
        list[UUID](),
    )
    now = await billing.read(draft)
    assert ([line["quantity"] for line in now["lines"]], now["net"]) == (["5"], 716)
    await billing.h.client.delete(f"/v1/accounting/invoices/{draft['id']}")
    other = await billing.post("/invoices", order_id=str(order.id))
    assert (other["net"], other["tax"]) == (now["net"], now["tax"])
    rest = await settle(billing, order, shipment, "5")
    assert rest.unbilled_net == 716
    assert (await billing.read(other))["status"] == "cancelled"
    nothing = await billing.post("/invoices", 409, order_id=str(order.id))
    assert nothing["type"] == "urn:tailrace:problem:nothing-to-invoice"
    assert await billing.balances() == {}


async def test_a_draft_and_a_return_at_once_agree(billing: Billing) -> None:
    """Whichever is first, the goods that came back are on no invoice, and the books say so."""
    for _ in range(4):
        order = await billing.order(("5", 1_000, "0.1"))
        shipment = await billing.ship(order)
        asked = request(order, shipment, "2")
        _, drafted = await asyncio.gather(
            billing.h.deliver(asked, aggregate_id=asked.return_id),
            billing.post("/invoices", shipment_ids=[str(shipment)]),
        )
        issued = await billing.issue(await billing.read(drafted))
        assert (issued["net"], issued["lines"][0]["quantity"]) == (600, "3")
    assert await billing.balances() == {"1200": 2_640, "4000": -2_400, "2200": -240}
