"""A user who is gone looks after nobody: the one who takes over does, or nobody, and `customer.assigned` says so of each customer.

A customer that was deleted while a quote, an order, a return, an invoice or a payment of it began is restored. A converted lead becomes a customer.
"""

from datetime import UTC, datetime

from contracts import invoices, orders, payments, quotes, returns
from contracts.leads import LeadConverted
from contracts.users import UserDeleted
from customers import commands, leads
from customers.models import Customer
from customers.projections import uses
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction
from tailrace.messaging.uses import restoring

leavers = Reaction("customers.leavers", since=EVER)
converted_leads = Reaction("customers.converted_leads", since=EVER)


@leavers.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    await commands.handover.leave(tx, event.user_id, event.successor_id)


@converted_leads.on(LeadConverted)
async def converted(tx: Tx, event: LeadConverted, meta: Meta) -> None:
    await leads.take(tx, event)


late_uses = restoring(
    "customers.late_uses",
    uses,
    (
        quotes.QuoteCreated,
        quotes.QuoteUpdated,
        orders.OrderCreated,
        orders.OrderChanged,
        orders.OrderConfirmed,
        returns.ReturnRequested,
        returns.ReturnAuthorised,
        invoices.InvoiceCreated,
        invoices.InvoiceReopened,
        payments.PaymentReceived,
        payments.PaymentAssigned,
    ),
    (Customer,),
    since=datetime(2026, 11, 27, tzinfo=UTC),
)
