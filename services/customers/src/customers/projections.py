"""What customers keep of others: who may look after one, in which teams, by which price lists, what happened with each, and what is under way.

A quote needs its customer until it was answered or ended, an accepted one until its order is there; an order from its draft until all of it has left
or it is cancelled; a return from when it is asked for until it is closed or cancelled.
"""

from collections.abc import Iterable
from uuid import UUID

from contracts import catalog, orders, quotes, returns
from contracts.users import (
    USER,
    TeamCreated,
    TeamDeleted,
    TeamUpdated,
    TenantCreated,
    TenantDatePolicyChanged,
    TenantTimeZoneChanged,
)
from customers.models import Base, PriceListCopy, TemplateChoiceCopy, TemplateCopy, Use, UserCopy
from customers.sources import SOURCES
from customers.timeline import Timeline
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Source, replica
from tailrace.messaging.teams import Teams
from tailrace.messaging.uses import Needs, Uses

days = Days("customers.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("customers.dates", Base.metadata, TenantDatePolicyChanged)
users = replica("customers.users", Source(UserCopy, *USER))
teams = Teams("customers.teams", Base.metadata, (TeamCreated, TeamUpdated), TeamDeleted)
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


@uses.told_by(
    quotes.QuoteOrdered,
    quotes.QuoteDeclined,
    quotes.QuoteExpired,
    quotes.QuoteCancelled,
    quotes.QuoteDeleted,
    quotes.QuoteRevised,
)
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
