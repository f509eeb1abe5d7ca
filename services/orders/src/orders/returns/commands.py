"""What people may do with returns. The order's row lock decides every race about its goods."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from contracts.returns import ReturnFee
from orders.credit import commands as credit
from orders.models import NOTHING, Order
from orders.projections import TaxCodeCopy, days
from orders.returns.bodies import NewReturn
from orders.returns.exchanges import finish
from orders.returns.lines import DepartedLine, ReturnLine
from orders.returns.models import Return, ReturnReason
from orders.returns.refusals import MoreThanShipped
from orders.returns.views import Returnable, ReturnableLine
from tailrace.core.errors import Invalid
from tailrace.core.values.money import plain_decimal, share
from tailrace.core.values.units import check_decimals
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers
from tailrace.messaging.replica import absent
from tailrace.pricing.tax_codes import SaidTax, rates_on

NUMBERS = Numbers("return", "RT-{number:06}")

_Part = tuple[UUID, UUID]
"""A shipment or a performance, and a line of its order."""


async def create(tx: Tx, asked: NewReturn) -> Return:
    """Ask for a return, and agree to it at once when that is said. Raises Invalid, NotYetKnown, MoreThanShipped."""
    of = (await tx.execute(select(Order.customer_id).where(Order.id == asked.order_id))).one_or_none()
    if of is None:
        raise Invalid.field("/order_id", f"There is no order {asked.order_id}.")
    if asked.exchanges and of.customer_id is not None:
        # What is ordered instead may be confirmed here: the customer's lock comes before any order's.
        await credit.lock(tx, of.customer_id)
    # Two who want the same goods back wait for one another here.
    order = await tx.load(Order, asked.order_id)
    reason = await _reason(tx, asked.return_reason_id)
    departed, bound = await departures_of(tx, order.id), await bound_of(tx, order)
    lines = [_line(order, departed, bound, asked, at) for at in range(len(asked.lines))]
    fee = await _fee(tx, asked)
    if fee is not None and fee.net > (worth := _worth(order, lines)):
        raise Invalid.field("/fee/net", f"The goods were sold for {worth}: the fee is no more than that.")
    made = Return.requested(await NUMBERS.next(tx), order, reason, asked.note, fee, lines)
    if asked.authorise:
        made.authorise()
        # Of services alone, there is nothing to wait for.
        await finish(tx, made)
    tx.add(made)
    return made


async def authorise(tx: Tx, return_id: UUID, match: int | None) -> Return:
    """Agree to a return. Raises ReturnState."""
    asked = await tx.load(Return, return_id, match)
    asked.authorise()
    await finish(tx, asked)
    return asked


async def cancel(tx: Tx, return_id: UUID, match: int | None, reason: str) -> Return:
    """Expect nothing more of it. Raises ReturnState, BeingCancelled."""
    asked = await tx.load(Return, return_id, match)
    asked.cancel(reason)
    return asked


async def returnable(tx: Tx, order: Order) -> Returnable:
    """What of an order has left or was performed, and is in no return."""
    bound, lines = await bound_of(tx, order), {line.id: line for line in order.lines}
    found = [
        ReturnableLine.said(
            each.quantity,
            bound.get((each.shipment_id, each.line_id), NOTHING),
            shipment_id=each.shipment_id,
            shipment_number=each.number,
            performed=each.performed,
            line_id=each.line_id,
            **{name: getattr(lines[each.line_id], name) for name in ("sku", "name", "unit")},
        )
        for each in (await departures_of(tx, order.id)).values()
    ]
    found.sort(key=lambda each: (each.shipment_number, each.shipment_id, lines[each.line_id].position))
    return Returnable(order_id=order.id, number=order.number, lines=found)


async def departures_of(tx: Tx, order_id: UUID) -> Mapping[_Part, DepartedLine]:
    """What was supplied for an order, by shipment or performance and line."""
    found = await tx.scalars(select(DepartedLine).where(DepartedLine.order_id == order_id))
    return {(each.shipment_id, each.line_id): each for each in found}


async def bound_of(tx: Tx, order: Order) -> dict[_Part, Decimal]:
    """How much of that is in a return: all but what was cancelled, never came, or went back to the customer."""
    query = (
        select(ReturnLine.shipment_id, ReturnLine.line_id, func.sum(ReturnLine.quantity - ReturnLine.sent_back))
        .join(Return, Return.id == ReturnLine.return_id)
        .where(ReturnLine.line_id.in_([line.id for line in order.lines]), Return.status != "cancelled")
        .group_by(ReturnLine.shipment_id, ReturnLine.line_id)
    )
    with tx.seeing_all():
        return {(shipment_id, line_id): quantity for shipment_id, line_id, quantity in await tx.execute(query)}


async def _fee(tx: Tx, asked: NewReturn) -> ReturnFee | None:
    """What is asked for the trouble, at the rate of today. Raises Invalid."""
    if asked.fee is None:
        return None
    said = SaidTax(asked.fee.tax_code, asked.fee.tax_rate, "/fee")
    ((rate, code),) = await rates_on(tx, TaxCodeCopy, [said], await days.today(tx))
    return ReturnFee(net=asked.fee.net, tax_code=code, tax_rate=rate)


async def _reason(tx: Tx, id: UUID) -> ReturnReason:
    known = select(ReturnReason).where(ReturnReason.id == id, ReturnReason.active, ReturnReason.deleted_at.is_(None))
    reason = await tx.scalar(known)
    if reason is None:
        raise Invalid.field("/return_reason_id", f"There is no reason {id} that may be given.")
    return reason


def _line(
    order: Order, departed: Mapping[_Part, DepartedLine], bound: dict[_Part, Decimal], asked: NewReturn, at: int
) -> ReturnLine:
    """The line, and what it takes is bound from here on. Raises Invalid, NotYetKnown, MoreThanShipped."""
    wanted, field = asked.lines[at], f"/lines/{at}"
    line = next((each for each in order.lines if each.id == wanted.line_id), None)
    if line is None:
        raise Invalid.field(f"{field}/line_id", f"Order {order.number} has no line {wanted.line_id}.")
    part = (wanted.shipment_id, wanted.line_id)
    if part not in departed:
        raise absent(
            part[0], f"{field}/shipment_id", f"Nothing of this line has left with {part[0]}, or was performed by it."
        )
    if any((each.shipment_id, each.line_id) == part for each in asked.lines[:at] if each.outcome == wanted.outcome):
        raise Invalid.field(f"{field}/line_id", "This line is named twice with the same outcome.")
    check_decimals(wanted.quantity, line.unit, line.decimals, f"{field}/quantity")
    left = departed[part].quantity - bound.get(part, NOTHING)
    if wanted.quantity > left:
        said = f"Of {line.sku}, {plain_decimal(left)} of {departed[part].number} can come back, not {plain_decimal(wanted.quantity)}."
        raise MoreThanShipped(said, field=f"{field}/quantity")
    bound[part] = bound.get(part, NOTHING) + wanted.quantity
    return ReturnLine.of_order(at + 1, departed[part], line, wanted.quantity, wanted.outcome)


def _worth(order: Order, lines: Sequence[ReturnLine]) -> int:
    """What so much of these lines was sold for, before tax."""
    of = {line.id: line for line in order.lines}
    return sum(share(of[each.line_id].net, NOTHING, each.quantity, of[each.line_id].quantity) for each in lines)
