"""What customers keep of others: who may look after one, in which teams, by which price lists, what happened with each, and what is under way.

A quote needs its customer until it was answered or ended, an accepted one until its order is there; an order from its draft until all of it has left
or it is cancelled; a return from when it is asked for until it is closed or cancelled. An invoice needs it while it is a draft, or something of it is
open; a payment while something of it is for no invoice.
"""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from contracts import catalog, invoices, orders, payments, quotes, refunds, returns
from contracts.users import TEAM, USER, TenantCreated, TenantDatePolicyChanged, TenantTimeZoneChanged
from customers.models import Base, PriceListCopy, TemplateChoiceCopy, TemplateCopy, Use, UserCopy
from customers.sources import SOURCES
from customers.timeline import Timeline
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Source, replica
from tailrace.messaging.teams import Teams
from tailrace.messaging.uses import Adds, Needs, Uses

days = Days("customers.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("customers.dates", Base.metadata, TenantDatePolicyChanged, days)
users = replica("customers.users", Source(UserCopy, *USER))
teams = Teams("customers.teams", Base.metadata, TEAM)
price_lists = replica("customers.price_lists", Source(PriceListCopy, *catalog.PRICE_LIST))
templates = replica(
    "customers.templates",
    Source(TemplateCopy, *catalog.TEMPLATE),
    Source(TemplateChoiceCopy, *catalog.TEMPLATE_CHOICE),
)
timeline = Timeline("customers.timeline", SOURCES)
uses = Uses("customers.uses", Use)


@uses.told_by(quotes.QuoteCreated, quotes.QuoteUpdated)
def quote(event: quotes.QuoteCreated | quotes.QuoteUpdated) -> Needs:
    return _quote(event, event.customer_id if event.open else None)


@uses.told_by(quotes.QuoteRejected)
def quote_rejected(event: quotes.QuoteRejected) -> Iterable[Needs]:
    return [_quote(event)] if event.final else []


@uses.told_by(*quotes.OVER)
def quote_over(event: quotes.QuoteEvent) -> Needs:
    return _quote(event)


@uses.told_by(orders.OrderCreated, orders.OrderChanged, orders.OrderConfirmed)
def order(event: orders.OrderCreated | orders.OrderChanged | orders.OrderConfirmed) -> Needs:
    return _order(event, event.customer_id, event.number)


@uses.told_by(orders.OrderShipmentProgressed)
def order_shipped(event: orders.OrderShipmentProgressed) -> Iterable[Needs]:
    return [_order(event)] if event.shipment == "full" else []


@uses.told_by(orders.OrderCancelled)
def order_cancelled(event: orders.OrderCancelled) -> Needs:
    return _order(event)


@uses.told_by(returns.ReturnRequested, returns.ReturnAuthorised)
def goods_back(event: returns.ReturnDescription) -> Needs:
    return _return(event, event.customer_id, event.number)


@uses.told_by(returns.ReturnClosed, returns.ReturnCancelled)
def return_over(event: returns.ReturnClosed | returns.ReturnCancelled) -> Needs:
    return _return(event)


@uses.told_by(invoices.InvoiceCreated, invoices.InvoiceUpdated)
def invoice_drafted(event: invoices.InvoiceDescription) -> Needs:
    return _invoice(event, event.customer_id)


@uses.told_by(invoices.InvoiceIssued)
def invoice(event: invoices.InvoiceIssued) -> Needs:
    open_ = event.net + event.tax - event.prepaid_net - event.prepaid_tax
    return _invoice(event, event.customer_id if open_ else None, event.number)


@uses.told_by(invoices.InvoicePartlyPaid, invoices.InvoicePaid, invoices.InvoiceReopened, invoices.InvoiceCredited)
def invoice_stands(event: invoices.InvoiceStanding) -> Needs:
    return _invoice(event, event.customer_id if event.open else None, event.number)


@uses.told_by(invoices.InvoiceDeleted)
def invoice_dropped(event: invoices.InvoiceDeleted) -> Needs:
    return _invoice(event)


@uses.told_by(payments.PaymentReceived, payments.PaymentAssigned)
def paid(event: payments.PaymentReceived | payments.PaymentAssigned) -> Iterable[Adds]:
    return _payment(event.payment_id, event.customer_id, event.amount)


@uses.told_by(payments.PaymentAllocated, payments.PaymentReversed)
def credit_used(event: payments.PaymentAllocated | payments.PaymentReversed) -> Iterable[Adds]:
    return _payment(event.payment_id, event.customer_id, -event.amount)


@uses.told_by(payments.PaymentUnallocated)
def credit_again(event: payments.PaymentUnallocated) -> Iterable[Adds]:
    return _payment(event.payment_id, event.customer_id, event.amount)


@uses.told_by(refunds.RefundPaid, refunds.RefundReturned)
def refunded(event: refunds.RefundPaid | refunds.RefundReturned) -> Iterable[Adds]:
    sign = -1 if isinstance(event, refunds.RefundPaid) else 1
    for part in event.parts:
        yield from _payment(part.payment_id, part.customer_id or event.customer_id, sign * part.amount)


def _quote(event: quotes.QuoteEvent, customer_id: UUID | None = None) -> Needs:
    things = set() if customer_id is None else {customer_id}
    name = f"{event.number}/{event.revision}" if isinstance(event, quotes.QuoteDescription) else None
    return Needs("quote", event.quote_id, things, f"/v1/quotes/{event.quote_id}", name)


def _order(event: orders.OrderEvent, customer_id: UUID | None = None, number: str | None = None) -> Needs:
    things = set() if customer_id is None else {customer_id}
    return Needs("order", event.order_id, things, f"/v1/orders/{event.order_id}", number)


def _return(event: returns.ReturnEvent, customer_id: UUID | None = None, number: str | None = None) -> Needs:
    things = set() if customer_id is None else {customer_id}
    return Needs("return", event.return_id, things, f"/v1/returns/{event.return_id}", number)


def _invoice(event: invoices.InvoiceEvent, customer_id: UUID | None = None, number: str | None = None) -> Needs:
    things = set() if customer_id is None else {customer_id}
    return Needs("invoice", event.invoice_id, things, f"/v1/accounting/invoices/{event.invoice_id}", number)


def _payment(id: UUID, customer_id: UUID | None, amount: int) -> Iterable[Adds]:
    """So much more of a payment, or less, is for no invoice."""
    things = set() if customer_id is None else {customer_id}
    return [Adds("payment", id, things, f"/v1/accounting/payments/{id}", Decimal(amount))]
