"""What control accounts must hold: what each event of stock, sales, invoices and payments means for what is there, and for what is owed.

It is kept beside the journals and without them, from the events alone, so that a balance that nobody owes an explanation for can be found.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from accounting.models import SubLedgerEntry
from accounting.rules import credited, effective_at, shares
from accounting.sales_rules import sales_amounts, settled_amounts
from contracts import invoices, payments, refunds
from contracts.accounting import AccountRole
from contracts.inventory import StockAdjusted, StockCostSettled, StockIssued, StockReceived
from contracts.performances import ServicesPerformed
from contracts.return_settlements import ReturnSettled
from contracts.shipments import ShipmentDispatched
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Projection

subledgers = Projection("accounting.subledgers", tables=[SubLedgerEntry])


@subledgers.on(
    StockReceived,
    StockIssued,
    StockCostSettled,
    StockAdjusted,
    ShipmentDispatched,
    ServicesPerformed,
    invoices.InvoiceIssued,
    invoices.CreditNoteIssued,
    ReturnSettled,
    payments.PaymentReceived,
    payments.PaymentAssigned,
    payments.PaymentAllocated,
    payments.PaymentUnallocated,
    payments.PaymentReversed,
    refunds.RefundPaid,
    refunds.RefundReturned,
)
async def keep(tx: Tx, event: Any, meta: Meta) -> None:
    rows = [
        {
            "tenant_id": tx.tenant_id,
            "event_id": meta.event_id,
            "role": role,
            "currency": currency,
            "amount": amount,
            "source_id": meta.aggregate_id,
            "effective_at": effective_at(event),
        }
        for role, currency, amount in explained(event)
    ]
    if rows:
        await tx.execute(insert(SubLedgerEntry).values(rows).on_conflict_do_nothing())


def explained(event: Any) -> Iterator[tuple[AccountRole, str, int]]:
    """By role and currency, what an event adds to control accounts, in minor units, debits above zero. Never zero."""
    found = [(role, event.currency, amount) for role, amount in amounts(event).items()]
    if isinstance(event, payments.PaymentAllocation):
        found += [(role, event.invoice_currency, amount) for role, amount in settled_amounts(event).items()]
    yield from (each for each in found if each[2])


def amounts(event: Any) -> Mapping[AccountRole, int]:
    """What an event adds to the control account of each role in its own currency. A transfer leaves the stock's value as it is."""
    match event:
        case StockReceived(reason="transfer"):
            return {}
        case StockReceived(reason="purchase"):
            return {"inventory": event.value, "goods_received_not_invoiced": -event.value}
        case StockReceived() | StockAdjusted():
            return {"inventory": event.value}
        case StockIssued(reason="return_to_supplier"):
            return {"inventory": -event.value, "goods_received_not_invoiced": credited(event)}
        case StockIssued():
            return {"inventory": -event.value}
        case StockCostSettled():
            return {"inventory": event.provisional - event.value}
        case ShipmentDispatched() | ServicesPerformed():
            net, tax = shares(event)
            return {"unbilled_receivable": net + tax, "output_tax": -tax}
        case _:
            return sales_amounts(event)
