"""What people do to stock. Each command locks the stock it touches, records what happened, and writes the rows that lists read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from contracts.inventory import DrawnLine
from contracts.lots import LotQuantity
from contracts.users import DateKind
from inventory import backorders, deliveries, ledger, lots, reservations, returns
from inventory.bodies import NewAdjustment, NewIssue, NewReceipt, NewReservation, NewTransfer
from inventory.by_lot import common, first_of, without
from inventory.holding import Holding, Wanted
from inventory.models import Movement, Reservation
from inventory.projections import ItemCopy, dates, goes_negative, look_up
from inventory.refusals import CurrencyDiffers, HeldForOrder, NotHeld, ReservationEnded, TooMuch
from inventory.stock import MOST_VALUE, Moved, Place, StockItem, load_stock, load_stocks
from tailrace.core.errors import Invalid, Stale, Unknown
from tailrace.core.ids import uuid7
from tailrace.core.values.money import round_minor
from tailrace.core.values.plausible import Bounds
from tailrace.db.database import Tx

BOUNDS: Mapping[DateKind, Bounds] = {"movement": Bounds.of_years(1), "opening_stock": Bounds.of_years(10)}
"""Opening stock may have been counted long before the books here began."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """A transfer's movements: one out, and one in for each layer that went along, with what it covered of a shortfall there."""

    outgoing: Movement
    incoming: Sequence[Movement]


async def receive(tx: Tx, body: NewReceipt, match: int | None) -> Movement:
    """Raises NotYetKnown, Invalid, CurrencyDiffers, TooMuch, Stale; of a delivery also MoreThanCame."""
    goods = await look_up(tx, [body.item_id], [body.warehouse_id], [body.unit])
    item = goods.stocked(body.item_id, incoming=True)
    goods.warehouse(body.warehouse_id, incoming=True)
    quantity = goods.in_base_unit(item, body.quantity, body.unit)
    value = _cost(body.quantity, body.value, body.unit_cost)
    assert value is not None
    at = await _effective(tx, body.effective_at, "opening_stock" if body.reason == "opening" else "movement")
    parts = lots.named(goods, item, body.lots, quantity, body.unit)
    stock = await load_stock(tx, Place(body.item_id, body.warehouse_id), match)
    layer_id = _layer_for(item, stock)
    came = await lots.come_in(tx, item, parts, at, body.reason)
    because: dict[str, Any] = {"reference": body.reference}
    if body.delivery_line_id is not None:
        of = await deliveries.put_away(tx, body.delivery_line_id, body.quantity)
        because = {"reference": body.reference or of.number, "delivery_line_id": of.id, "delivered": body.quantity}
        because |= {"asn_id": of.asn_id}
    event = stock.receive(layer_id, quantity, value, body.currency, body.reason, at, lots=came, **because)
    return await _enter(tx, stock, event, at)


async def issue(tx: Tx, body: NewIssue, match: int | None) -> Movement:
    """Raises NotYetKnown, Invalid, Short, TooMuch, Stale; with a reservation Unknown, ReservationEnded, HeldForOrder, NotHeld.

    Of what goes back to its supplier also CurrencyDiffers and ReturnedAlready.
    """
    goods = await look_up(tx, [body.item_id], [body.warehouse_id], [body.unit])
    item, warehouse = goods.stocked(body.item_id), goods.warehouse(body.warehouse_id)
    quantity = goods.in_base_unit(item, body.quantity, body.unit)
    parts = lots.named(goods, item, body.lots, quantity, body.unit)
    place = Place(body.item_id, body.warehouse_id)
    holding = await _holding(tx, body, place, quantity) if body.reservation_id else None
    because: dict[str, Any] = {"line_id": body.line_id, "reference": body.reference}
    receipt = None
    if body.reason == "return_to_supplier":
        stock, receipt = await returns.load(tx, place, body.receipt_id, match)
        at = await _effective(tx, body.effective_at, after=None if receipt is None else receipt.effective_at)
        if body.currency is not None:
            _currency(body.currency, stock)
        price = _cost(body.quantity, body.value, body.unit_cost)
        credited = price if receipt is None else await returns.credit(tx, receipt, quantity, at)
        because |= {
            "receipt_id": body.receipt_id,
            "credited": credited,
            "asn_id": await returns.delivery_of(tx, receipt),
        }
        beyond = None
    else:
        at = await _effective(tx, body.effective_at)
        stock = await load_stock(tx, place, match)
        beyond = _currency(body.currency, stock) if holding is None and goes_negative(item, warehouse) else None
    gone = await lots.go_out(tx, stock, parts, to_be_used=body.reason == "consumption")
    if receipt is not None and gone:
        await returns.check_lots(tx, receipt, gone)
    if holding is not None and body.line_id is not None:
        _check_held(holding.state.lots_for(body.line_id, place), gone)
    event = stock.issue(quantity, body.reason, at, held_by=body.reservation_id, beyond=beyond, lots=gone, **because)
    if holding is not None and body.line_id is not None:
        await reservations.draw(tx, holding, [DrawnLine(line_id=body.line_id, quantity=quantity, lots=gone)])
    return await _enter(tx, stock, event, at)


async def adjust(tx: Tx, body: NewAdjustment, match: int | None) -> Movement:
    """Raises NotYetKnown, Invalid, Short, CurrencyDiffers, TooMuch, Stale."""
    more = body.quantity > 0
    goods = await look_up(tx, [body.item_id], [body.warehouse_id], [body.unit])
    item = goods.stocked(body.item_id, incoming=more)
    goods.warehouse(body.warehouse_id, incoming=more)
    quantity = goods.in_base_unit(item, body.quantity, body.unit)
    at = await _effective(tx, body.effective_at)
    parts = lots.named(goods, item, body.lots, abs(quantity), body.unit)
    stock = await load_stock(tx, Place(body.item_id, body.warehouse_id), match)
    currency = _currency(body.currency, stock)
    if more:
        value = _found_value(body, stock, quantity)
        layer_id = _layer_for(item, stock)
        found = await lots.come_in(tx, item, parts, at, "count")
        event = stock.find_more(layer_id, quantity, value, currency, body.reason, at, body.reference, found)
    else:
        gone = await lots.go_out(tx, stock, parts, to_be_used=False)
        event = stock.find_less(-quantity, body.reason, at, body.reference, gone)
    return await _enter(tx, stock, event, at)


async def transfer(tx: Tx, body: NewTransfer, match: int | None) -> Transferred:
    """Raises NotYetKnown, Invalid, Short, CurrencyDiffers, TooMuch, Stale (of the stock that the goods leave)."""
    goods = await look_up(tx, [body.item_id], [body.from_warehouse_id, body.to_warehouse_id], [body.unit])
    item = goods.stocked(body.item_id)
    goods.warehouse(body.from_warehouse_id, "/from_warehouse_id")
    goods.warehouse(body.to_warehouse_id, "/to_warehouse_id", incoming=True)
    quantity = goods.in_base_unit(item, body.quantity, body.unit)
    at = await _effective(tx, body.effective_at)
    parts = lots.named(goods, item, body.lots, quantity, body.unit)
    here, there = Place(body.item_id, body.from_warehouse_id), Place(body.item_id, body.to_warehouse_id)
    stocks = await load_stocks(tx, (here, there))
    source, target = stocks[here], stocks[there]
    if match is not None and match != source.version:
        raise Stale(match, source.version)
    gone = await lots.go_out(tx, source, parts, to_be_used=False)
    sent = source.send(quantity, body.to_warehouse_id, at, body.reference, gone)
    if target.state.valued_in not in {None, sent.currency}:
        raise CurrencyDiffers(str(target.state.currency), sent.currency, "/to_warehouse_id")
    outgoing = ledger.movement_of(source, sent)
    incoming: list[Movement] = []
    for layer in sent.layers:
        layer_id = target.id if _averages(item) else layer.layer_id
        along = first_of(gone, layer.quantity)
        gone = without(gone, along)
        because = (at, body.reference, body.from_warehouse_id, along)
        event = target.receive(layer_id, layer.quantity, layer.value, sent.currency, "transfer", *because)
        incoming += [ledger.movement_of(target, event), *ledger.settle(target, at)]
    await ledger.write(tx, (source, target), [outgoing, *incoming])
    return Transferred(outgoing, incoming)


async def reserve(tx: Tx, body: NewReservation) -> Reservation:
    """Raises NotYetKnown, Invalid, Short."""
    goods = await look_up(
        tx,
        [line.item_id for line in body.lines],
        [line.warehouse_id for line in body.lines],
        [line.unit for line in body.lines],
    )
    lines: list[Wanted] = []
    for number, line in enumerate(body.lines):
        field = f"/lines/{number}"
        item = goods.stocked(line.item_id, f"{field}/item_id", incoming=True)
        goods.warehouse(line.warehouse_id, f"{field}/warehouse_id", incoming=True)
        quantity = goods.in_base_unit(item, line.quantity, line.unit, field)
        place = Place(line.item_id, line.warehouse_id)
        lines.append(Wanted(uuid7(), place, quantity, line.lot, line.remaining_days))
    seconds = body.expires_in_seconds
    expires_at = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
    request = backorders.Request(uuid7(), lines, body.partial_allowed, expires_at=expires_at)
    return await reservations.reserve(tx, request)


async def _holding(tx: Tx, body: NewIssue, place: Place, quantity: Decimal) -> Holding:
    """The reservation that is to be drawn on, locked before the stock is."""
    assert body.reservation_id is not None and body.line_id is not None
    holding = await tx.load_stream(Holding, body.reservation_id)
    if holding.version == 0:
        raise Unknown("Reservation", body.reservation_id)
    if not holding.is_open:
        raise ReservationEnded(holding.state.status)
    if holding.state.order_id is not None:
        raise HeldForOrder(holding.state.order_id)
    held = holding.state.held_for(body.line_id, place)
    if quantity > held:
        raise NotHeld(quantity, held)
    return holding


def _check_held(held: Sequence[LotQuantity], wanted: Sequence[LotQuantity]) -> None:
    """Raises NotHeld unless the line holds these lots."""
    for position, part in enumerate(wanted):
        here = common(held, [part])
        if here != [part]:
            there = here[0].quantity if here else Decimal(0)
            raise NotHeld(part.quantity, there, f"/lots/{position}/quantity")


async def _enter(tx: Tx, stock: StockItem, event: Moved, at: datetime) -> Movement:
    movement = ledger.movement_of(stock, event)
    await ledger.write(tx, (stock,), (movement, *ledger.settle(stock, at)))
    return movement


def _currency(given: str | None, stock: StockItem) -> str:
    """What a change of the stock is valued in. Raises CurrencyDiffers, and Invalid when nothing came in yet and none is given."""
    currency = given or stock.state.currency
    if currency is None:
        raise Invalid.field("/currency", "This is the first stock of the item in this warehouse: name its currency.")
    if stock.state.valued_in not in {None, currency}:
        raise CurrencyDiffers(str(stock.state.currency), currency)
    return currency


async def _effective(
    tx: Tx, asked: datetime | date | None, kind: DateKind = "movement", after: datetime | None = None
) -> datetime:
    """When it took place, or now; on the day of what has to be before, `after`, as of that. Raises Implausible."""
    return await dates.moment(tx, kind, BOUNDS[kind], asked, "/effective_at", after=after)


def _cost(quantity: Decimal, value: int | None, unit_cost: Decimal | None) -> int | None:
    """The value that a client gave, for all or for one; None when none was given. Rounded once, half up."""
    if unit_cost is None:
        return value
    total = round_minor(Fraction(quantity) * Fraction(unit_cost))
    if total > MOST_VALUE:
        raise TooMuch("The value would exceed 10^15 minor units.", field="/unit_cost")
    return total


def _found_value(body: NewAdjustment, stock: StockItem, quantity: Decimal) -> int:
    value = _cost(body.quantity, body.value, body.unit_cost)
    if value is None:
        value = stock.average_value(quantity)
    if value is None:
        raise Invalid.field("/value", "Nothing is there to take an average from: give value or unit_cost.")
    return value


def _layer_for(item: ItemCopy, stock: StockItem) -> UUID:
    """Every receipt is a layer of its own; under the moving average all of them are one, which bears the stock's id."""
    return stock.id if _averages(item) else uuid7()


def _averages(item: ItemCopy) -> bool:
    return item.valuation == "moving_average"
