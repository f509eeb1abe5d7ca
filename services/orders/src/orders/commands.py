"""What people may do with an order. What it leads to elsewhere follows from the events that this records."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from orders.bodies import Confirmation, NewOrder, OrderTerms
from orders.models import Order
from orders.pricing import differences, price_lines, quote
from orders.refusals import PriceChanged
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers

NUMBERS = Numbers("order", "SO-{number:06}")


async def create(tx: Tx, asked: NewOrder) -> Order:
    """Draft an order, and confirm it at once when asked to. Raises Invalid (422), NotYetKnown (409)."""
    terms = _terms(asked, datetime.now(UTC))
    lines = await price_lines(tx, asked.lines, asked.currency, _day(terms["ordered_at"]))
    order = Order.drafted(await NUMBERS.next(tx), lines, terms)
    if asked.confirm:
        order.confirm()
    tx.add(order)
    return order


async def replace(tx: Tx, order_id: UUID, match: int | None, asked: OrderTerms) -> Order:
    """Replace a draft. Raises NotADraft (409), Invalid (422), NotYetKnown (409)."""
    order = await tx.load(Order, order_id, match)
    order.after("changed")
    terms = _terms(asked, order.ordered_at)
    lines = await price_lines(tx, asked.lines, asked.currency, _day(terms["ordered_at"]))
    order.change(lines, terms)
    return order


async def confirm(tx: Tx, order_id: UUID, match: int | None, asked: Confirmation) -> Order:
    """Make a draft binding, at what it costs today; its fulfilment begins.

    Raises NotADraft, PriceChanged unless it may be repriced, NotYetKnown, and Invalid for what went out of use since it was drafted.
    """
    order = await tx.load(Order, order_id, match)
    order.after("confirmed")
    quotes = await quote(tx, order.lines, order.currency, _day(datetime.now(UTC)))
    if changes := differences(order.lines, quotes):
        if not asked.reprice:
            raise PriceChanged(order.number, changes)
        order.reprice(quotes)
    order.confirm()
    return order


async def hold(tx: Tx, order_id: UUID, match: int | None, reason: str) -> Order:
    """Let nothing of a confirmed order be allocated or shipped until it is resumed. Raises NotConfirmed, AlreadyShipped."""
    order = await tx.load(Order, order_id, match)
    order.hold(reason)
    return order


async def resume(tx: Tx, order_id: UUID, match: int | None) -> Order:
    """Go on with an order on hold. Raises NotOnHold."""
    order = await tx.load(Order, order_id, match)
    order.resume()
    return order


async def cancel(tx: Tx, order_id: UUID, match: int | None, reason: str) -> Order:
    """Cancel what has not left. Raises AlreadyCancelled, AlreadyShipped."""
    order = await tx.load(Order, order_id, match)
    order.cancel(reason)
    return order


async def delete(tx: Tx, order_id: UUID, match: int | None) -> None:
    """Drop a draft: it is kept, cancelled. Raises NotADraft."""
    order = await tx.load(Order, order_id, match)
    order.after("deleted")
    order.cancel("The draft was deleted.")


async def allocate(tx: Tx, order_id: UUID, match: int | None) -> Order:
    """Try once more to reserve what is open. Raises NotConfirmed, AllocationUnderWay, NothingToAllocate."""
    order = await tx.load(Order, order_id, match)
    order.allocate()
    return order


def _day(moment: datetime) -> date:
    """The day whose prices and taxes hold at a moment."""
    return moment.date()


def _terms(asked: OrderTerms, ordered_at: datetime) -> dict[str, Any]:
    """The order's columns as the client gave them; `ordered_at` counts when it gave none."""
    terms = asked.model_dump(exclude={"lines", "confirm"})
    terms["ordered_at"] = (asked.ordered_at or ordered_at).astimezone(UTC)
    return terms
