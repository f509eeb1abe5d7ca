"""A customer that a quote, an order or money is under way with is not deleted, and is brought back when that is heard of late."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from contracts import invoices, orders, payments, quotes, refunds, returns
from tailrace.core.clock import now
from tailrace.core.events import Event
from tailrace.core.ids import uuid7

from .conftest import AT, Sales


def quoted(kind: type[quotes.QuoteDescription], customer: dict[str, Any], id: UUID, **given: Any) -> Any:
    amounts = {"discount": 0, "net": 100, "tax": 10, "lines": [], "currency": "EUR"}
    days = {"dated": date(2026, 1, 1), "valid_until": date(2026, 12, 31)}
    who = {"customer_id": customer["id"], "customer_name": customer["name"]}
    return kind(quote_id=id, number="Q-1", revision=2, **who, **days, **amounts, **given)


def ordered(customer: dict[str, Any] | None, id: UUID, kind: Any = orders.OrderCreated) -> Any:
    return kind(
        order_id=id,
        number="SO-1",
        customer_reference="x",
        customer_name="Ada",
        customer_id=None if customer is None else customer["id"],
        currency="EUR",
        net=100,
        tax=10,
        lines=[],
        ordered_at=now(),
    )


async def deleted(sales: Sales, customer: dict[str, Any]) -> Any:
    return await sales.h.client.delete(f"{AT}/{customer['id']}")


TODAY = date(2026, 11, 20)


def which(id: UUID) -> dict[str, Any]:
    return {"quote_id": id, "number": "Q-1", "revision": 2}


ENDS = [
    lambda id: quotes.QuoteDeclined(**which(id), customer_id=uuid7(), reason="no"),
    lambda id: quotes.QuoteExpired(**which(id), customer_id=uuid7(), valid_until=date(2026, 1, 1)),
    lambda id: quotes.QuoteCancelled(**which(id), reason="no"),
    lambda id: quotes.QuoteDeleted(**which(id)),
    lambda id: quotes.QuoteRevised(**which(id), by_quote_id=uuid7()),
    lambda id: quotes.QuoteOrdered(**which(id), order_id=uuid7(), order_number="SO-1"),
    lambda id: quotes.QuoteRejected(**which(id), approval_id=uuid7(), reason="no", final=True),
]


@pytest.mark.parametrize("end", ENDS)
async def test_a_customer_with_an_open_quote_is_not_deleted(sales: Sales, end: Any) -> None:
    customer, id = await sales.create(), uuid7()
    await sales.h.deliver(quoted(quotes.QuoteCreated, customer, id), aggregate_id=id)
    refused = await deleted(sales, customer)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:in-use")
    assert f"quote Q-1/2 (/v1/quotes/{id})" in refused.json()["detail"]
    rejected = quotes.QuoteRejected(**which(id), approval_id=uuid7(), reason="once more")
    await sales.h.deliver(rejected, aggregate_id=id)
    assert (await deleted(sales, customer)).status_code == 409
    await sales.h.deliver(end(id), aggregate_id=id)
    assert (await deleted(sales, customer)).status_code == 204


async def test_a_quote_that_goes_to_another_customer_needs_that_one(sales: Sales) -> None:
    one, other, id = await sales.create("One"), await sales.create("Other"), uuid7()
    await sales.h.deliver(quoted(quotes.QuoteCreated, one, id), aggregate_id=id)
    await sales.h.deliver(quoted(quotes.QuoteUpdated, other, id), aggregate_id=id)
    assert [(await deleted(sales, each)).status_code for each in (one, other)] == [204, 409]
    await sales.h.deliver(quoted(quotes.QuoteUpdated, other, id, open=False), aggregate_id=id)
    assert (await deleted(sales, other)).status_code == 204


@pytest.mark.parametrize("shipped", [True, False])
async def test_a_customer_with_an_open_order_is_not_deleted(sales: Sales, shipped: bool) -> None:
    customer, id, nobodys = await sales.create(), uuid7(), uuid7()
    await sales.h.deliver(ordered(None, nobodys), aggregate_id=nobodys)
    await sales.h.deliver(ordered(customer, id), aggregate_id=id)
    partial = orders.OrderShipmentProgressed(order_id=id, shipment="partial", lines=[])
    await sales.h.deliver(partial, aggregate_id=id)
    assert "order SO-1" in (await deleted(sales, customer)).json()["detail"]
    end: Any = orders.OrderShipmentProgressed(order_id=id, shipment="full", lines=[])
    await sales.h.deliver(end if shipped else orders.OrderCancelled(order_id=id, reason="no"), aggregate_id=id)
    assert (await deleted(sales, customer)).status_code == 204


async def test_a_customer_who_gives_something_back_is_not_deleted(sales: Sales) -> None:
    customer, id, order = await sales.create(), uuid7(), uuid7()
    said = {"number": "RT-1", "order_number": "SO-1", "reason_code": "R", "reason": "r", "currency": "EUR", "lines": []}
    who = {"customer_id": customer["id"], "customer_name": customer["name"]}
    asked = returns.ReturnRequested(return_id=id, order_id=order, **said, **who)
    await sales.h.deliver(asked, aggregate_id=id)
    assert f"return RT-1 (/v1/returns/{id})" in (await deleted(sales, customer)).json()["detail"]
    await sales.h.deliver(returns.ReturnCancelled(return_id=id, order_id=order, reason="no"), aggregate_id=id)
    assert (await deleted(sales, customer)).status_code == 204


async def test_what_is_heard_of_after_the_deletion_brings_the_customer_back(sales: Sales) -> None:
    customer, id = await sales.create(), uuid7()
    assert (await deleted(sales, customer)).status_code == 204
    record = await sales.h.deliver(quoted(quotes.QuoteCreated, customer, id), aggregate_id=id)
    await sales.h.redeliver(record)
    assert (await sales.read(customer))["name"] == customer["name"]
    assert len(await sales.h.published("customer.restored")) == 1
    assert (await deleted(sales, customer)).status_code == 409


async def test_it_stays_deleted_when_another_one_has_its_number(sales: Sales) -> None:
    customer, id = await sales.create(number="C-7"), uuid7()
    assert (await deleted(sales, customer)).status_code == 204
    await sales.create(number="c-7")
    await sales.h.deliver(ordered(customer, id), aggregate_id=id)
    assert (await sales.h.client.get(f"{AT}/{customer['id']}")).status_code == 404
    assert Decimal(await sales.h.admin.fetchval('SELECT amount FROM "use"')) == 1


def billed(kind: type[Event], customer: dict[str, Any], id: UUID, **given: Any) -> Event:
    """What is said of an invoice of 110, tax included."""
    who = {"invoice_id": id, "customer_id": customer["id"], "currency": "EUR"}
    if issubclass(kind, invoices.InvoiceStanding):
        more = {"number": "INV-1", "day": TODAY}
    else:
        more = {"customer_name": customer["name"], "net": 100, "tax": 10, "taxes": [], "lines": []}
    return kind.model_validate({**who, **more, **given})


def issued(customer: dict[str, Any], id: UUID, **given: Any) -> Event:
    days = {"dated": TODAY, "due_on": TODAY, "effective_at": now()}
    return billed(
        invoices.InvoiceIssued, customer, id, number="INV-1", delivered_net=0, delivered_tax=0, **days, **given
    )


SETTLED: list[Callable[[dict[str, Any], UUID], Event]] = [
    lambda who, id: billed(invoices.InvoicePaid, who, id, paid=110, credited=0, open=0),
    lambda who, id: billed(invoices.InvoiceCredited, who, id, paid=0, credited=110, open=0),
    lambda who, id: issued(who, id, prepaid_net=100, prepaid_tax=10),
    lambda who, id: invoices.InvoiceDeleted(invoice_id=id),
]


async def test_a_customer_who_owes_is_not_deleted(sales: Sales) -> None:
    for settled in SETTLED:
        customer, id = await sales.create(), uuid7()
        await sales.h.deliver(billed(invoices.InvoiceCreated, customer, id), aggregate_id=id)
        refused = await deleted(sales, customer)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:in-use")
        await sales.h.deliver(issued(customer, id), aggregate_id=id)
        part = billed(invoices.InvoicePartlyPaid, customer, id, paid=60, credited=0, open=50)
        await sales.h.deliver(part, aggregate_id=id)
        refused = await deleted(sales, customer)
        assert f"invoice INV-1 (/v1/accounting/invoices/{id})" in refused.json()["detail"]
        await sales.h.deliver(settled(customer, id), aggregate_id=id)
        assert (await deleted(sales, customer)).status_code == 204
    # The bank takes the payment back: somebody is asked again.
    again = billed(invoices.InvoiceReopened, customer, id, paid=0, credited=0, open=110)
    await sales.h.deliver(again, aggregate_id=id)
    assert (await sales.read(customer))["name"] == customer["name"]


async def test_a_customer_whose_money_is_here_is_not_deleted(sales: Sales) -> None:
    customer, other, id = await sales.create("One"), await sales.create("Other"), uuid7()
    money = {"payment_id": id, "currency": "EUR", "effective_at": now()}
    unknown = payments.PaymentReceived(
        **money, number="P-1", bank_account_id=uuid7(), account="1000", amount=100, value_day=TODAY
    )
    await sales.h.deliver(unknown, aggregate_id=id)
    known = payments.PaymentAssigned(**money, customer_id=customer["id"], amount=100, day=TODAY)
    await sales.h.deliver(known, aggregate_id=id)
    allocation = {"allocation_id": uuid7(), "invoice_id": uuid7(), "invoice_number": "INV-1", "amount": 70}
    worth = {"invoice_currency": "EUR", "settled": 70, "worth": 70, "day": TODAY, "customer_id": customer["id"]}
    await sales.h.deliver(payments.PaymentAllocated(**money, **allocation, **worth), aggregate_id=id)
    refused = await deleted(sales, customer)
    assert f"payment (/v1/accounting/payments/{id})" in refused.json()["detail"], "30 of it are for no invoice"
    assert (await deleted(sales, other)).status_code == 204
    # It is paid back to one who stood for the payer for a while: it was the payer's all the same.
    part = refunds.RefundedPart(payment_id=id, amount=30, customer_id=customer["id"])
    said = {"refund_id": uuid7(), "number": "R-1", "customer_id": other["id"], "account": "1000", "currency": "EUR"}
    moved = {"amount": 30, "reason": "too much", "day": TODAY, "parts": [part], "effective_at": now()}
    await sales.h.deliver(refunds.RefundPaid(bank_account_id=uuid7(), **said, **moved), aggregate_id=said["refund_id"])
    assert (await deleted(sales, customer)).status_code == 204
    await sales.h.deliver(refunds.RefundReturned(**said, **moved), aggregate_id=said["refund_id"])
    assert Decimal(await sales.h.admin.fetchval('SELECT sum(amount) FROM "use"')) == 30
