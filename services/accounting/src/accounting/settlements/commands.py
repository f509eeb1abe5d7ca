"""What goods and services that are taken back were sold for: by credit notes where it was invoiced, and off what is to be invoiced where not.

The shipments and performances are locked before their invoices, as in drafting one: so what is taken back is either on the invoice that is being
drafted, and credited, or left off it. Parts of a line add up to it, to the minor unit, however they are cut.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, union

from accounting.days import days
from accounting.invoices import commands as invoicing
from accounting.invoices.bodies import NewInvoiceLine
from accounting.invoices.copies import DeliveryCopy, OrderCopy
from accounting.invoices.crediting import take_back, with_tax
from accounting.invoices.drafting import buyer_of
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice
from accounting.invoices.taxing import by_now
from accounting.settlements.models import ReturnSettlement, UnbilledReturn
from accounting.settlements.unbilled import Back, unbilled
from contracts.returns import ReturnSettlementRequested
from tailrace.core.values.money import share
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.replica import by_ids

_FEE = {"en": "Restocking fee for return {0}", "ja": "返品手数料 {0}"}
_REASON = {"en": "Return {0}: {1}", "ja": "返品 {0}：{1}"}

_Part = tuple[UUID, UUID]
"""A shipment or a performance, and a line of its order."""


async def settle(tx: Tx, asked: ReturnSettlementRequested) -> ReturnSettlement:
    """Take back what was sold, ask for the fee, and say what came of it.

    Raises NotYet for an order, a customer or a shipment that is not here, and RoleUnmapped.
    """
    order = (await by_ids(tx, OrderCopy, [asked.order_id])).get(asked.order_id)
    if order is None:
        raise NotYet(f"the order of return {asked.number} is not here")
    wanted: dict[_Part, Decimal] = {}
    for each in asked.lines:
        part = (each.shipment_id, each.line_id)
        wanted[part] = wanted.get(part, Decimal(0)) + each.quantity
    deliveries = await _locked(tx, {shipment_id for shipment_id, _ in wanted}, asked.number)
    invoices = await _invoices(tx, deliveries)
    billed = {
        (line.supply_id, line.order_line_id) for each in invoices if each.status != "draft" for line in each.lines
    }
    off = await _taken_off(tx, {part: wanted[part] for part in wanted if part not in billed}, deliveries)
    notes = []
    buyer = await buyer_of(tx, order)
    language = str(buyer.paper["language"])
    reason = _REASON[language].format(asked.number, asked.reason)
    for invoice in invoices:
        if invoice.status == "draft":
            shrunk = False
            for gone in off:
                shrunk |= invoice.take_off((gone.shipment_id, gone.line_id), gone.quantity, gone.net, gone.tax)
            if shrunk:
                await invoicing.shrink(tx, invoice)
        elif (amounts := _to_credit(invoice, wanted)) and any(amounts[0].values()):
            nets, quantities = amounts
            note = await take_back(tx, invoice, await with_tax(tx, invoice, nets), quantities, reason)
            notes.append((note.id, note.net, note.tax))
    fee = None
    if asked.fee is not None:
        line: dict[str, Any] = {
            "name": _FEE[language].format(asked.number),
            "quantity": "1",
            "unit_price": str(asked.fee.net),
        }
        rate = await by_now(tx, (asked.fee.tax_rate, asked.fee.tax_code), await days.today(tx))
        drafted = await invoicing.draft_line(tx, buyer, asked.currency, NewInvoiceLine.model_validate(line), rate)
        issued = await invoicing.issue(tx, drafted.id, None)
        fee = (issued.id, issued.total)
    at = await invoicing.moment_of(tx, await days.today(tx))
    settlement = ReturnSettlement.made(asked, off, notes, fee, at)
    tx.add(settlement)
    return settlement


async def _locked(tx: Tx, ids: set[UUID], number: str) -> Mapping[UUID, DeliveryCopy]:
    """These shipments and performances: nobody drafts an invoice of them until this is committed. Raises NotYet."""
    query = select(DeliveryCopy).where(DeliveryCopy.id.in_(ids)).order_by(DeliveryCopy.id).with_for_update()
    found = {each.id: each for each in await tx.scalars(query)}
    if missing := ids - set(found):
        raise NotYet(f"{missing.pop()}, which return {number} is of, is not here")
    return found


async def _invoices(tx: Tx, deliveries: Mapping[UUID, DeliveryCopy]) -> Sequence[Invoice]:
    """The invoices that these are on, locked; one whose draft was dropped meanwhile has no line any more."""
    on = [
        select(InvoiceLine.invoice_id).where(each.in_(deliveries))
        for each in (InvoiceLine.shipment_id, InvoiceLine.performance_id)
    ]
    return [await tx.load(Invoice, id) for id in sorted(await tx.scalars(union(*on)))]


async def _taken_off(
    tx: Tx, wanted: Mapping[_Part, Decimal], deliveries: Mapping[UUID, DeliveryCopy]
) -> list[UnbilledReturn]:
    """What is never to be invoiced: of each line, its share of what the shipment was booked with."""
    before = dict(await unbilled(tx, {shipment_id for shipment_id, _ in wanted}))
    made: list[UnbilledReturn] = []
    for (shipment_id, line_id), quantity in wanted.items():
        delivery = deliveries[shipment_id]
        line = next((each for each in delivery.lines if each["line_id"] == str(line_id)), None)
        if line is None:
            raise NotYet(f"nothing of line {line_id} is known to have been supplied with {delivery.number}")
        left, back = Decimal(line["quantity"]), before.get((shipment_id, line_id), Back())
        # However often it is said: no more of a part is taken off than it had.
        quantity = min(quantity, left - back.quantity)
        if quantity <= 0:
            continue
        net, tax = [
            share(share(line[what], Decimal(line["dispatched_before"]), left, Decimal(line["line_quantity"])), *part)
            for what in ("line_net", "line_tax")
            for part in [(back.quantity, quantity, left)]
        ]
        now = Back(back.quantity + quantity, back.net + net, back.tax + tax)
        before[shipment_id, line_id] = now
        amounts = {"quantity": quantity, "net": net, "tax": tax}
        closes = all(
            before.get((shipment_id, UUID(each["line_id"])), Back()).quantity >= Decimal(each["quantity"])
            for each in delivery.lines
        )
        made.append(UnbilledReturn(shipment_id=shipment_id, line_id=line_id, closes=closes, **amounts))
    return made


def _to_credit(invoice: Invoice, wanted: Mapping[_Part, Decimal]) -> tuple[dict[UUID, int], dict[UUID, Decimal]] | None:
    """By line of the invoice, net amount and quantity that are taken back: no more than people have left of it; None when it is taken back whole."""
    if invoice.status == "credited":
        return None
    nets: dict[UUID, int] = {}
    quantities: dict[UUID, Decimal] = {}
    for line in invoice.lines:
        if line.supply_id is None or line.order_line_id is None:
            continue
        quantity = wanted.get((line.supply_id, line.order_line_id), Decimal(0))
        quantity = min(quantity, line.quantity - line.credited_quantity)
        if quantity > 0:
            net = share(line.net, line.credited_quantity, quantity, line.quantity)
            nets[line.id] = min(net, line.net - line.credited_net)
            quantities[line.id] = quantity
    return nets, quantities
