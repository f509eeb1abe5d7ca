"""Asking to be paid ahead: an invoice of a part of an order, by rate, and never of more than the order has left to ask for."""

from collections.abc import Mapping
from fractions import Fraction
from uuid import UUID

from sqlalchemy import select

from accounting.days import days
from accounting.invoices.bodies import NewInvoice
from accounting.invoices.buyers import Buyer, known_buyer, named_buyer
from accounting.invoices.copies import OrderCopy
from accounting.invoices.drafting import lump
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice
from accounting.invoices.prepayments import divided
from accounting.invoices.refusals import InvoiceState, NothingToInvoice, TooMuchPrepaid
from accounting.invoices.rooms import left_of, rooms_of
from accounting.invoices.taxing import levies
from tailrace.core.errors import Invalid
from tailrace.core.values.money import PRICE_BOUND, plain_decimal, round_minor
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids
from tailrace.pricing.tax_codes import Rate

_SAID = {"en": "Prepayment for order {0}", "ja": "注文 {0} の前受金"}


async def draft(tx: Tx, asked: NewInvoice, values: Mapping[str, bool | str]) -> Invoice:
    """`values` are those of the company's own fields. Raises NotYetKnown, Invalid, NothingToInvoice, TooMuchPrepaid."""
    assert asked.order_id is not None and asked.prepayment is not None
    # One that was cancelled asks for nothing ahead, nor one that is being changed, until it binds again.
    (await by_ids(tx, OrderCopy, [asked.order_id])).in_use(asked.order_id, "/order_id")
    # Of two who ask for the same order, the second one sees what the first one asked for.
    order = await _held(tx, asked.order_id)
    buyer = named_buyer(order) if order.customer_id is None else await known_buyer(tx, order.customer_id)
    rooms = await rooms_of(tx, order)
    left = sum(rooms.values())
    said = asked.prepayment
    amount = said.amount or round_minor(Fraction(said.share or 0) * (order.net + order.tax))
    if not amount:
        raise NothingToInvoice("That share of the order comes to nothing.")
    if amount > left:
        raise TooMuchPrepaid(f"Of order {order.number}, {left} is left to be paid ahead.")
    language = str(buyer.paper["language"])
    levied = await levies(tx, rooms.keys(), await days.today(tx))
    lines = [
        _line(position, _SAID[language].format(order.number), rate, *parts)
        for position, (rate, parts) in enumerate(divided(amount, rooms, levied).items(), 1)
    ]
    if any(line.net >= PRICE_BOUND for line in lines):
        field = "/prepayment/share" if said.amount is None else "/prepayment/amount"
        raise Invalid.field(field, "That is too much to be paid ahead at once: ask for it in parts.")
    invoice = Invoice.drafted({**_terms(buyer, order, asked), "custom_fields": dict(values)}, lines)
    tx.add(invoice)
    return invoice


async def ensure_wanted(tx: Tx, invoice: Invoice) -> None:
    """Raises InvoiceState for a draft of an order that does not bind any more, TooMuchPrepaid for one of more than is left of it since."""
    assert invoice.order_id is not None
    order = await _held(tx, invoice.order_id)
    if not order.active:
        raise InvoiceState(f"Order {order.number} was cancelled or is being changed: nothing of it is paid ahead.")
    beyond = -await left_of(tx, order)
    if beyond > 0:
        raise TooMuchPrepaid(f"That is {beyond} more than order {order.number} has left: draft it again.")


async def _held(tx: Tx, order_id: UUID) -> OrderCopy:
    """Of those who ask for the same order, one after the other sees what is left of it."""
    return (await tx.scalars(select(OrderCopy).where(OrderCopy.id == order_id).with_for_update())).one()


def _line(position: int, name: str, rate: Rate, net: int, tax: int) -> InvoiceLine:
    tax_rate, _ = rate
    return lump(position, f"{name}, {plain_decimal(tax_rate * 100)} %", rate, net, tax)


def _terms(buyer: Buyer, order: OrderCopy, asked: NewInvoice) -> dict[str, object]:
    days_to_pay = asked.payment_terms_days
    order_id: UUID = order.id
    return {
        "kind": "prepayment",
        "order_id": order_id,
        "customer_id": buyer.customer_id,
        "customer": dict(buyer.paper),
        "currency": order.currency,
        "payment_terms_days": order.days_to_pay(buyer.payment_terms_days) if days_to_pay is None else days_to_pay,
        "customer_reference": asked.customer_reference or order.customer_reference,
        "notes": asked.notes,
        "supplied_from": None,
        "supplied_until": None,
    }
