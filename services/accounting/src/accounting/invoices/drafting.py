"""What an invoice is made of: shipments that have left and are on none, and what the invoice itself sells.

A line of a shipment takes the share of its order's line that falls to it, as the books did when it left: so an order's invoices add up
to its net.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select

from accounting.days import days
from accounting.invoices.bodies import MOST_SHIPMENTS, NewInvoiceLine
from accounting.invoices.buyers import Buyer, followed, known_buyer, named_buyer, standing_for
from accounting.invoices.copies import CustomerCopy, DeliveryCopy, OrderCopy
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.refusals import NothingToInvoice, NotOneCustomer, OrderNotYetKnown
from accounting.settlements.models import UnbilledReturn
from accounting.settlements.unbilled import Back, unbilled
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.core.values.days import Calendar
from tailrace.core.values.money import LARGEST_AMOUNT, round_minor, share
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.replica import by_ids
from tailrace.pricing.tax_codes import Rate

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Billable:
    """Shipments of one customer in one currency, and their orders."""

    buyer: Buyer
    currency: str
    deliveries: Sequence[DeliveryCopy]
    orders: Mapping[UUID, OrderCopy]
    back: Mapping[tuple[UUID, UUID], Back]
    """What of them came back, by shipment and line of the order."""

    @property
    def reference(self) -> str | None:
        """What the customer calls the orders, when all of them are called the same."""
        said = {order.customer_reference for order in self.orders.values()}
        return said.pop() if len(said) == 1 else None

    def days_to_pay(self, said: int | None = None) -> int:
        """After how many days it is due: what is `said`, else as with the orders. Raises Invalid for orders of several terms."""
        if said is not None:
            return said
        days = sorted({order.days_to_pay(self.buyer.payment_terms_days) for order in self.orders.values()})
        if len(days) > 1:
            several = ", ".join(map(str, days))
            raise Invalid.field("/payment_terms_days", f"These orders are due after {several} days: say which.")
        return days[0]


async def uninvoiced(
    tx: Tx, *within: ColumnElement[bool], until: date | None = None, most: int = MOST_SHIPMENTS
) -> list[DeliveryCopy]:
    """What has left or was performed, by `until` at the latest, and no invoice has, but for those that came back whole; the earliest first.

    They are locked: what comes back of them meanwhile is credited after the invoice, or not on it.
    """
    gone_back = exists().where(UnbilledReturn.shipment_id == DeliveryCopy.id, UnbilledReturn.closes)
    on_an_invoice = [
        exists().where(each == DeliveryCopy.id) for each in (InvoiceLine.shipment_id, InvoiceLine.performance_id)
    ]
    query = (
        select(DeliveryCopy)
        .where(*(~each for each in on_an_invoice), ~gone_back, *within)
        .order_by(DeliveryCopy.dispatched_at, DeliveryCopy.id)
        .limit(most)
        .with_for_update()
    )
    if until is not None:
        query = query.where(DeliveryCopy.dispatched_at <= await days.end_of(tx, until))
    return list(await tx.scalars(query))


async def of_customer(tx: Tx, customer_id: UUID) -> ColumnElement[bool]:
    """Whether a shipment is for this customer, or for one that it stands for."""
    theirs = await standing_for(tx, customer_id)
    return DeliveryCopy.order_id.in_(select(OrderCopy.id).where(OrderCopy.customer_id.in_(theirs)))


async def alike(tx: Tx, deliveries: Sequence[DeliveryCopy], buyer: Buyer) -> list[DeliveryCopy]:
    """Those that go on one invoice with the first: in its currency, and due after as many days. Their orders are here."""
    orders = await by_ids(tx, OrderCopy, {each.order_id for each in deliveries})

    def terms(of: DeliveryCopy) -> tuple[str, int]:
        return of.currency, orders[of.order_id].days_to_pay(buyer.payment_terms_days)

    return [each for each in deliveries if terms(each) == terms(deliveries[0])]


async def billable(tx: Tx, deliveries: Collection[DeliveryCopy], field: str = "/shipment_ids") -> Billable:
    """What is to be on one invoice. Raises NothingToInvoice, OrderNotYetKnown, NotOneCustomer."""
    if not deliveries:
        raise NothingToInvoice("Nothing has left or was performed that is not invoiced.")
    orders = await by_ids(tx, OrderCopy, {each.order_id for each in deliveries})
    for each in deliveries:
        if each.order_id not in orders:
            raise OrderNotYetKnown(each.number)
    buyers = {await _who(tx, order) for order in orders.values()}
    currencies = {each.currency for each in deliveries}
    if len(buyers) > 1 or len(currencies) > 1:
        raise NotOneCustomer("These are for several customers, or in several currencies.", field=field)
    customer_id, _ = buyers.pop()
    first = orders[next(iter(deliveries)).order_id]
    buyer = named_buyer(first) if customer_id is None else await known_buyer(tx, customer_id)
    return Billable(
        buyer, currencies.pop(), list(deliveries), orders, await unbilled(tx, [each.id for each in deliveries])
    )


async def buyer_of(tx: Tx, order: OrderCopy) -> Buyer:
    """Whom an order is for. Raises NotYet for a customer who is not here."""
    customer_id, _ = await _who(tx, order)
    if customer_id is None:
        return named_buyer(order)
    if customer_id not in await by_ids(tx, CustomerCopy, [customer_id]):
        raise NotYet(f"the customer of order {order.number} is not here")
    return await known_buyer(tx, customer_id)


async def _who(tx: Tx, order: OrderCopy) -> tuple[UUID | None, str]:
    """One who is kept is known by the id; one who is only named, by the name."""
    if order.customer_id is None:
        return None, order.customer_name
    return await followed(tx, order.customer_id), ""


def delivered_lines(found: Billable, calendar: Calendar) -> list[InvoiceLine]:
    """A line for each line of each shipment, less what came back; a share that comes to nothing is a line all the same. Raises NothingToInvoice."""
    lines: list[InvoiceLine] = []
    for delivery in found.deliveries:
        order = found.orders[delivery.order_id]
        ordered = {each["line_id"]: each for each in order.lines}
        for each in delivery.lines:
            back = found.back.get((delivery.id, UUID(each["line_id"])), Back())
            if Decimal(each["quantity"]) > back.quantity:
                lines.append(_delivered(delivery, order, each, ordered[each["line_id"]], calendar, back))
    if not lines:
        raise NothingToInvoice("All of it came back.")
    return lines


def _delivered(
    delivery: DeliveryCopy,
    order: OrderCopy,
    left: Mapping[str, Any],
    ordered: Mapping[str, Any],
    calendar: Calendar,
    back: Back,
) -> InvoiceLine:
    quantity, whole = Decimal(left["quantity"]), Decimal(left["line_quantity"])
    before = Decimal(left["dispatched_before"])
    way = "performance" if delivery.performed else "shipment"
    booked = share(left["line_tax"], before, quantity, whole) - back.tax
    return InvoiceLine(
        id=uuid7(),
        order_id=order.id,
        order_number=order.number,
        order_line_id=UUID(left["line_id"]),
        **{f"{way}_id": delivery.id, f"{way}_number": delivery.number},
        supplied_on=calendar.day_of(delivery.dispatched_at),
        item_id=UUID(left["item_id"]),
        sku=left["sku"],
        name=left["name"],
        quantity=quantity - back.quantity,
        unit=ordered.get("unit"),
        unit_price=Decimal(ordered["unit_price"]),
        net=share(left["line_net"], before, quantity, whole) - back.net,
        tax_code=ordered.get("tax_code"),
        tax_rate=Decimal(ordered["tax_rate"]),
        tax=booked,
        booked_tax=booked,
        **uncredited(),
    )


def own_lines(asked: Sequence[NewInvoiceLine], rates: Sequence[Rate]) -> list[InvoiceLine]:
    """What the invoice itself sells, each at its rate, before it is taxed. Raises Invalid for a line of more than an amount holds."""
    lines = []
    for at, (each, (tax_rate, tax_code)) in enumerate(zip(asked, rates, strict=True)):
        net = round_minor(Fraction(each.quantity) * Fraction(each.unit_price))
        if net > LARGEST_AMOUNT:
            raise Invalid.field(f"/lines/{at}/unit_price", "The line's amount is too large.")
        terms = {**each.model_dump(), "tax_rate": tax_rate, "tax_code": tax_code}
        lines.append(InvoiceLine(id=uuid7(), net=net, tax=0, booked_tax=0, **terms, **uncredited()))
    return lines


def ensure_fits(lines: Sequence[InvoiceLine], field: str) -> None:
    """Raises Invalid when lines that are taxed come to more than an invoice may. `field` is what they follow from."""
    if sum(line.net + line.tax for line in lines) > LARGEST_AMOUNT:
        raise Invalid.field(field, "The invoice's total is too large: make several of it.")


def fitting(deliveries: Sequence[DeliveryCopy]) -> list[DeliveryCopy]:
    """The first of these shipments, as many as one invoice holds, and one at least. The rest is for the next one."""
    taken: list[DeliveryCopy] = []
    left = LARGEST_AMOUNT
    for each in deliveries:
        left -= _worth(each)
        if taken and left < 0:
            break
        taken.append(each)
    return taken


def _worth(delivery: DeliveryCopy) -> int:
    """No less than what an invoice asks for it: its tax is rounded once more, by less than a unit for each line."""
    worth = len(delivery.lines)
    for line in delivery.lines:
        cut = Decimal(line["dispatched_before"]), Decimal(line["quantity"]), Decimal(line["line_quantity"])
        worth += sum(share(line[name], *cut) for name in ("line_net", "line_tax"))
    return worth


def numbered(lines: list[InvoiceLine]) -> list[InvoiceLine]:
    """The same lines with their places, from 1."""
    for position, line in enumerate(lines, 1):
        line.position = position
    return lines


def lump(position: int, name: str, rate: Rate, net: int, tax: int) -> InvoiceLine:
    """A line that is an amount and no goods: one of something, for all of it."""
    tax_rate, code = rate
    return InvoiceLine(
        id=uuid7(),
        position=position,
        name=name,
        quantity=Decimal(1),
        unit=None,
        unit_price=Decimal(net),
        net=net,
        tax_code=code,
        tax_rate=tax_rate,
        tax=tax,
        booked_tax=0,
        **uncredited(),
    )


def uncredited() -> dict[str, Any]:
    """The columns of a line of which nothing has come or gone yet."""
    return {"credited_net": 0, "credited_tax": 0, "credited_quantity": _NOTHING, "received": 0, "deducted": 0}
