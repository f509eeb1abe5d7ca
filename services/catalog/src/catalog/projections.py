"""What the catalog keeps of others besides the company's days: who needs an item, a warehouse or a price list.

No item, no warehouse and no price list is deleted while anybody needs it.

Stock needs both while there is any, more or less than nothing; a reservation while it holds some; an order from its draft until all of it has left
or it is cancelled; a quote until it was answered or ended, an accepted one until its order is there; a shipment until it has left or is cancelled;
a return from when it is asked for until it is closed or cancelled; an opportunity while it is open. A customer needs the price list that it has.
"""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from catalog.models import Use
from contracts import customers, inventory, opportunities, orders, quotes, returns, shipments
from tailrace.core.ids import derived_id
from tailrace.messaging.uses import Adds, Needs, Uses

uses = Uses("catalog.uses", Use)


@uses.told_by(orders.OrderCreated, orders.OrderChanged, orders.OrderConfirmed)
def order(event: orders.OrderCreated | orders.OrderChanged | orders.OrderConfirmed) -> Needs:
    return _order(event.order_id, _things(event.lines), event.number)


@uses.told_by(orders.OrderShipmentProgressed)
def order_shipped(event: orders.OrderShipmentProgressed) -> Iterable[Needs]:
    return [_order(event.order_id)] if event.shipment == "full" else []


@uses.told_by(orders.OrderCancelled)
def order_cancelled(event: orders.OrderCancelled) -> Needs:
    return _order(event.order_id)


@uses.told_by(quotes.QuoteCreated, quotes.QuoteUpdated)
def quote(event: quotes.QuoteCreated | quotes.QuoteUpdated) -> Needs:
    places = set() if event.warehouse_id is None else {event.warehouse_id}
    things = {line.item_id for line in event.lines} | places if event.open else ()
    return _quote(event, things, f"{event.number}/{event.revision}")


@uses.told_by(quotes.QuoteRejected)
def quote_rejected(event: quotes.QuoteRejected) -> Iterable[Needs]:
    return [_quote(event)] if event.final else []


@uses.told_by(*quotes.OVER)
def quote_over(event: quotes.QuoteEvent) -> Needs:
    return _quote(event)


@uses.told_by(*opportunities.OPPORTUNITY.told_by)
def opportunity(event: opportunities.OpportunityDescription) -> Needs:
    lines = event.lines if event.status == "open" else ()
    return _opportunity(
        event.opportunity_id, {line.item_id for line in lines if line.item_id is not None}, event.number
    )


@uses.told_by(opportunities.OpportunityDeleted)
def opportunity_deleted(event: opportunities.OpportunityDeleted) -> Needs:
    return _opportunity(event.opportunity_id)


@uses.told_by(returns.ReturnRequested, returns.ReturnAuthorised)
def goods_back(event: returns.ReturnDescription) -> Needs:
    return _return(
        event.return_id, {id for line in event.lines for id in (line.item_id, line.warehouse_id)}, event.number
    )


@uses.told_by(returns.ReturnClosed, returns.ReturnCancelled)
def return_over(event: returns.ReturnClosed | returns.ReturnCancelled) -> Needs:
    return _return(event.return_id)


@uses.told_by(shipments.ShipmentCreated)
def shipment(event: shipments.ShipmentCreated) -> Needs:
    return _shipment(event.shipment_id, _things(event.lines), event.number)


@uses.told_by(shipments.ShipmentLinesChanged)
def shipment_changed(event: shipments.ShipmentLinesChanged) -> Needs:
    return _shipment(event.shipment_id, _things(event.lines))


@uses.told_by(shipments.ShipmentDispatched, shipments.ShipmentCancelled)
def shipment_over(event: shipments.ShipmentDispatched | shipments.ShipmentCancelled) -> Needs:
    return _shipment(event.shipment_id)


@uses.told_by(inventory.StockReceived, inventory.StockAdjusted)
def stock(event: inventory.StockReceived | inventory.StockAdjusted) -> Adds:
    return _stock(event, event.quantity)


@uses.told_by(inventory.StockTransferred)
def stock_sent(event: inventory.StockTransferred) -> Adds:
    return _stock(event, -event.quantity)


@uses.told_by(inventory.StockIssued)
def stock_issued(event: inventory.StockIssued) -> Iterable[Adds]:
    yield _stock(event, -event.quantity)
    if event.reservation_id is not None:
        yield _reservation(event, event.reservation_id, -event.quantity)


@uses.told_by(inventory.StockReserved)
def stock_reserved(event: inventory.StockReserved) -> Adds:
    return _reservation(event, event.reservation_id, event.quantity)


@uses.told_by(inventory.StockReservationReleased)
def stock_released(event: inventory.StockReservationReleased) -> Adds:
    return _reservation(event, event.reservation_id, -event.quantity)


@uses.told_by(*customers.CUSTOMER.told_by)
def customer(event: customers.CustomerDescription) -> Needs:
    lists = () if event.price_list_id is None else (event.price_list_id,)
    return _customer(event.customer_id, lists, event.number)


@uses.told_by(customers.CustomerDeleted)
def customer_deleted(event: customers.CustomerDeleted) -> Needs:
    return _customer(event.customer_id)


def _things(lines: Iterable[orders.OrderLine | shipments.ShipmentLine]) -> set[UUID]:
    return {id for line in lines for id in (line.item_id, line.warehouse_id)}


def _order(id: UUID, things: Iterable[UUID] = (), number: str | None = None) -> Needs:
    return Needs("order", id, set(things), f"/v1/orders/{id}", number)


def _quote(event: quotes.QuoteEvent, things: Iterable[UUID] = (), name: str | None = None) -> Needs:
    return Needs("quote", event.quote_id, set(things), f"/v1/quotes/{event.quote_id}", name)


def _opportunity(id: UUID, items: Iterable[UUID] = (), number: str | None = None) -> Needs:
    return Needs("opportunity", id, set(items), f"/v1/opportunities/{id}", number)


def _return(id: UUID, things: Iterable[UUID] = (), number: str | None = None) -> Needs:
    return Needs("return", id, set(things), f"/v1/returns/{id}", number)


def _customer(id: UUID, price_lists: Iterable[UUID] = (), number: str | None = None) -> Needs:
    return Needs("customer", id, set(price_lists), f"/v1/customers/{id}", number)


def _shipment(id: UUID, things: Iterable[UUID] = (), number: str | None = None) -> Needs:
    return Needs("shipment", id, set(things), f"/v1/shipments/{id}", number)


def _stock(event: inventory.StockEvent, amount: Decimal) -> Adds:
    here = (event.item_id, event.warehouse_id)
    return Adds("stock", derived_id(*here), here, "/v1/inventory/stock/{}/{}".format(*here), amount)


def _reservation(event: inventory.StockEvent, id: UUID, amount: Decimal) -> Adds:
    return Adds("reservation", id, (event.item_id, event.warehouse_id), f"/v1/inventory/reservations/{id}", amount)
