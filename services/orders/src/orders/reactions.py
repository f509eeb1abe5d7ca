"""What others do to orders: an accepted quote becomes one, once, at the prices that were quoted; invoices and payments are noted; users go."""

from decimal import Decimal

from sqlalchemy import select

from contracts import invoices as sales
from contracts.quotes import QuoteAccepted, QuotedItem
from contracts.users import UserDeleted
from orders.commands import next_number
from orders.credit import commands as credit
from orders.lines import OrderLine
from orders.models import Order
from orders.pricing import taxed_as_today
from orders.projections import ItemCopy, Leaver, WarehouseCopy, settings
from orders.templates import taken_over, unsaid
from orders.timers import handover
from tailrace.core.errors import Unknown
from tailrace.core.events import Meta
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.handover import heir_of
from tailrace.messaging.replica import Replica, by_ids
from tailrace.messaging.subscribers import EVER, Reaction

quotes = Reaction("orders.quotes", since=EVER)
leavers = Reaction("orders.leavers", since=EVER)
invoices = Reaction("orders.invoices", since=EVER)


@quotes.on(QuoteAccepted)
async def accepted(tx: Tx, event: QuoteAccepted, meta: Meta) -> None:
    """Draft the order, and confirm it when that was agreed, everything can still leave, and it is taxed today as it was quoted; if not, somebody has
    to look at it."""
    if await tx.scalar(select(Order.id).where(Order.quote_id == event.quote_id)) is not None:
        return
    items = await by_ids(tx, ItemCopy, [line.item_id for line in event.lines])
    warehouses = await by_ids(tx, WarehouseCopy, [event.warehouse_id])
    if missing := {line.item_id for line in event.lines} - set(items) or {event.warehouse_id} - set(warehouses):
        raise NotYet(f"{missing.pop()} of quote {event.number} is not here")
    template = await settings.effective(tx)
    terms = {
        "customer_reference": event.customer_reference,
        "customer_name": event.customer_name,
        "customer_id": event.customer_id,
        "quote_id": event.quote_id,
        "quote_number": event.number,
        "quote_revision": event.revision,
        "currency": event.currency,
        "ordered_at": event.accepted_at,
        "requested_date": None,
        **unsaid(template),
        "custom_fields": taken_over(template, event.custom_fields),
        "priority": 5,
        "reservation_expires_in_seconds": None,
        "ship_to": None if event.ship_to is None else event.ship_to.model_dump(mode="json"),
        "payment_terms_days": event.payment_terms_days,
    }
    owner_id = None if event.owner_id is None else await heir_of(tx, Leaver, event.owner_id)
    terms |= {"owner_id": owner_id, "owner_name": event.owner_name if owner_id == event.owner_id else None}
    lines = [_line(line, items[line.item_id], position, event) for position, line in enumerate(event.lines, 1)]
    order = Order.drafted(await next_number(tx), lines, terms)
    copies: list[Replica] = [*items.values(), *warehouses.values()]
    if event.confirm_order and all(each.active for each in copies) and await taxed_as_today(tx, lines):
        await credit.confirm_new(tx, order)
    tx.add(order)


@leavers.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    await handover.leave(tx, event.user_id, event.successor_id)


@invoices.on(sales.InvoiceIssued)
async def issued(tx: Tx, event: sales.InvoiceIssued, meta: Meta) -> None:
    for each in event.orders:
        (await _order(tx, each)).invoice(event.invoice_id, event.number, each.net + each.tax)


@invoices.on(sales.CreditNoteIssued)
async def credited(tx: Tx, event: sales.CreditNoteIssued, meta: Meta) -> None:
    for each in event.orders:
        (await _order(tx, each)).invoice(event.invoice_id, event.invoice_number, -each.net - each.tax)


@invoices.on(sales.InvoicePaid)
async def paid(tx: Tx, event: sales.InvoicePaid, meta: Meta) -> None:
    for each in event.orders:
        (await _order(tx, each)).pay(event.invoice_id, event.number, each.net + each.tax)


@invoices.on(sales.InvoiceReopened)
async def reopened(tx: Tx, event: sales.InvoiceReopened, meta: Meta) -> None:
    for each in event.orders:
        (await _order(tx, each)).pay(event.invoice_id, event.number, -each.net - each.tax)


async def _order(tx: Tx, of: sales.OrderAmount) -> Order:
    """Raises NotYet for one that is not here, which an order that was invoiced always is."""
    try:
        return await tx.load(Order, of.order_id)
    except Unknown:
        raise NotYet(f"order {of.order_id} is not here") from None


def _line(line: QuotedItem, item: ItemCopy, position: int, event: QuoteAccepted) -> OrderLine:
    return OrderLine(
        id=uuid7(),
        position=position,
        item_id=line.item_id,
        sku=line.sku,
        name=line.name,
        kind=item.kind,
        warehouse_id=event.warehouse_id,
        unit=line.unit,
        decimals=line.decimals,
        quantity=line.quantity,
        unit_price=line.unit_price,
        price_list_id=None,
        net=line.net,
        tax_code=line.tax_code,
        tax_rate=line.tax_rate,
        tax=line.tax,
        allocated=Decimal(0),
        shipped=Decimal(0),
        backordered=Decimal(0),
        cancelled=Decimal(0),
    )
