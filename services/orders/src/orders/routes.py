"""Orders over HTTP. Policy, paging and preconditions show in each signature; the commands decide the rest."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy import Select, select
from sqlalchemy.orm import raiseload

from contracts.orders import Progress
from orders import commands
from orders.bodies import Moment, NewOrder, OrderTerms, Reason, Text
from orders.models import Order, Status
from orders.process import saga
from orders.projections import catalog
from orders.views import FulfilmentView, OrderSummary, OrderView
from tailrace.core.context import Principal
from tailrace.http.auth import Requires
from tailrace.http.etag import IfMatch
from tailrace.http.pagination import Listing, Page, Paging, paginate
from tailrace.http.routing import Tx, tenant_router
from tailrace.messaging.sagas import history

Reader = Annotated[Principal, Requires("orders:read")]
Writer = Annotated[Principal, Requires("orders:write")]
From = Annotated[Moment | None, Query(description="Ordered at this moment or later.")]
Until = Annotated[Moment | None, Query(description="Ordered before this moment.")]

router = tenant_router("/v1/orders", tag="orders", reads=[catalog, saga])


@router.post("", status_code=201, response_model=OrderView)
async def create(tx: Tx, who: Writer, body: NewOrder, response: Response) -> Order:
    """Create a draft, or with `confirm` a confirmed order."""
    order = await commands.create(tx, body)
    response.headers["Location"] = f"/v1/orders/{order.id}"
    return order


@router.get("", response_model=Page[OrderSummary])
async def index(
    tx: Tx,
    who: Reader,
    page: Paging,
    status: Annotated[list[Status] | None, Query(description="One of these; may be given several times.")] = None,
    number: Annotated[Text | None, Query()] = None,
    customer_reference: Annotated[Text | None, Query()] = None,
    allocation: Progress | None = None,
    shipment: Progress | None = None,
    ordered_from: From = None,
    ordered_until: Until = None,
) -> Listing[Order]:
    """List orders; sort by `id` (in order of creation), `number` or `ordered_at`."""
    query = _equal(number=number, customer_reference=customer_reference, allocation=allocation, shipment=shipment)
    query = _ordered_between(query, ordered_from, ordered_until)
    if status:
        query = query.where(Order.status.in_(status))
    sortable: dict[str, Any] = {"number": Order.number, "ordered_at": Order.ordered_at}
    return await paginate(tx, query.options(raiseload(Order.lines)), page, key=Order.id, sortable=sortable)


@router.get("/{order_id}", response_model=OrderView)
async def read(tx: Tx, who: Reader, order_id: UUID) -> Order:
    """One order with its lines."""
    return await tx.find(Order, order_id)


@router.get("/{order_id}/history")
async def fulfilment(tx: Tx, who: Reader, order_id: UUID) -> FulfilmentView:
    """The steps of the order's fulfilment so far, and what led to each; none for a draft."""
    order = await tx.find(Order, order_id)
    steps = await history(tx, saga.name, order.id)
    return FulfilmentView(order_id=order.id, state=steps[-1].to_state if steps else None, steps=steps)


@router.put("/{order_id}", response_model=OrderView)
async def replace(tx: Tx, who: Writer, order_id: UUID, match: IfMatch, body: OrderTerms) -> Order:
    """Replace a draft, lines and all."""
    return await commands.replace(tx, order_id, match, body)


@router.delete("/{order_id}", status_code=204)
async def delete(tx: Tx, who: Writer, order_id: UUID, match: IfMatch) -> None:
    """Drop a draft. It stays readable, as cancelled."""
    await commands.delete(tx, order_id, match)


@router.post("/{order_id}/confirm", response_model=OrderView)
async def confirm(tx: Tx, who: Writer, order_id: UUID, match: IfMatch) -> Order:
    """Make a draft binding and begin its fulfilment."""
    return await commands.confirm(tx, order_id, match)


@router.post("/{order_id}/hold", response_model=OrderView)
async def hold(tx: Tx, who: Writer, order_id: UUID, match: IfMatch, body: Reason) -> Order:
    """Stop a confirmed order: nothing more is allocated or shipped until it is resumed."""
    return await commands.hold(tx, order_id, match, body.reason)


@router.post("/{order_id}/resume", response_model=OrderView)
async def resume(tx: Tx, who: Writer, order_id: UUID, match: IfMatch) -> Order:
    """Go on with an order on hold."""
    return await commands.resume(tx, order_id, match)


@router.post("/{order_id}/cancel", response_model=OrderView)
async def cancel(tx: Tx, who: Writer, order_id: UUID, match: IfMatch, body: Reason) -> Order:
    """Cancel what has not left; stock and shipments are freed."""
    return await commands.cancel(tx, order_id, match, body.reason)


@router.post("/{order_id}/allocate", response_model=OrderView)
async def allocate(tx: Tx, who: Writer, order_id: UUID, match: IfMatch) -> Order:
    """Try again to reserve what is open, after a shortage or a partial reservation."""
    return await commands.allocate(tx, order_id, match)


def _equal(**wanted: str | None) -> Select[Order]:
    query: Select[Any] = select(Order)
    return query.where(*(getattr(Order, name) == value for name, value in wanted.items() if value is not None))


def _ordered_between(query: Select[Order], since: datetime | None, before: datetime | None) -> Select[Order]:
    if since is not None:
        query = query.where(Order.ordered_at >= since)
    return query if before is None else query.where(Order.ordered_at < before)
