"""What invoices ask for an order and what was paid of it is noted on it, once, in the amounts of the order alone."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from contracts import inventory, invoices
from tailrace.core.ids import uuid7

from .conftest import Desk, shipping
from .test_backorders import answered

DAY = date(2026, 11, 27)


def share(order: dict[str, Any], net: int, tax: int) -> list[invoices.OrderAmount]:
    return [invoices.OrderAmount(order_id=UUID(order["id"]), net=net, tax=tax)]


async def issued(desk: Desk, order: dict[str, Any], net: int, tax: int) -> tuple[UUID, Any]:
    id = uuid7()
    event = invoices.InvoiceIssued(
        invoice_id=id,
        customer_name="Somebody",
        currency="EUR",
        # Another order is on it too.
        net=net + 500,
        tax=tax,
        taxes=[],
        lines=[],
        number="INV-2026-00001",
        dated=DAY,
        due_on=DAY,
        delivered_net=net,
        delivered_tax=tax,
        orders=share(order, net, tax),
        effective_at=datetime.now(UTC),
    )
    return id, await desk.h.deliver(event, aggregate_id=id)


async def stands(desk: Desk, kind: Any, id: UUID, order: dict[str, Any], net: int, tax: int) -> Any:
    said: dict[str, Any] = {"paid": net + tax, "credited": 0, "open": 0, "orders": share(order, net, tax), "day": DAY}
    event = kind(invoice_id=id, number="INV-2026-00001", currency="EUR", **said)
    return await desk.h.deliver(event, aggregate_id=id)


async def figures(desk: Desk, order: dict[str, Any]) -> tuple[str, int, str, int]:
    now = await desk.read(order)
    return now["invoicing"], now["invoiced"], now["payment"], now["paid"]


async def test_an_order_is_invoiced_and_paid_part_by_part_and_each_part_once(desk: Desk) -> None:
    order = await desk.confirmed()
    net, tax = order["net"], order["tax"]
    assert await figures(desk, order) == ("none", 0, "none", 0)
    first, told = await issued(desk, order, net - 10, tax - 1)
    await desk.h.redeliver(told)
    assert await figures(desk, order) == ("partial", net + tax - 11, "none", 0)
    second, _ = await issued(desk, order, 10, 1)
    assert await figures(desk, order) == ("full", net + tax, "none", 0)
    told = await stands(desk, invoices.InvoicePaid, second, order, 10, 1)
    await desk.h.redeliver(told)
    assert await figures(desk, order) == ("full", net + tax, "partial", 11)
    await stands(desk, invoices.InvoicePaid, first, order, net - 10, tax - 1)
    assert await figures(desk, order) == ("full", net + tax, "full", net + tax)
    await stands(desk, invoices.InvoiceReopened, second, order, 10, 1)
    assert await figures(desk, order) == ("full", net + tax, "partial", net + tax - 11)
    types = [each.type for each in await desk.h.published() if each.type in ("order.invoiced", "order.paid")]
    assert types == ["order.invoiced"] * 2 + ["order.paid"] * 3


async def test_what_is_credited_is_not_asked_for(desk: Desk) -> None:
    order = await desk.confirmed()
    net, tax = order["net"], order["tax"]
    id, _ = await issued(desk, order, net, tax)
    note = invoices.CreditNoteIssued(
        credit_note_id=uuid7(),
        number="CN-2026-00001",
        invoice_id=id,
        invoice_number="INV-2026-00001",
        reason="broken",
        dated=DAY,
        currency="EUR",
        net=net,
        tax=tax,
        taxes=[],
        lines=[],
        orders=share(order, net, tax),
        effective_at=datetime.now(UTC),
    )
    await desk.h.deliver(note, aggregate_id=note.credit_note_id)
    assert await figures(desk, order) == ("none", 0, "none", 0)


async def test_what_is_given_up_later_keeps_no_order_from_being_invoiced_and_paid(desk: Desk) -> None:
    order, _, asked = await shipping(desk, when_short="cancel", partial_allowed=True)
    await desk.dispatch(asked, "6")
    invoice, _ = await issued(desk, order, 600, 60)
    await stands(desk, invoices.InvoicePaid, invoice, order, 600, 60)
    assert await figures(desk, order) == ("partial", 660, "partial", 660)
    await desk.lose(order, asked)
    await desk.act(order, "allocate")
    again = await desk.reservation()
    await desk.answer(inventory.ReservationRejected, again, lines=answered(again, "0"), reason="nothing", waiting=False)
    assert await figures(desk, order) == ("full", 660, "full", 660)
    assert (await desk.read(order))["shipment"] == "full"
