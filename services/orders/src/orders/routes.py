"""Orders over HTTP. Policy, paging and preconditions show in each signature; the commands decide the rest."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import raiseload

from contracts.orders import Progress
from orders import commands
from orders.bodies import Confirmation, NewOrder, OrderTerms, Performance
from orders.credit.routes import CREDIT
from orders.models import Order
from orders.process import saga
from orders.projections import catalog, customers, dates, days, teams, templates, users
from orders.reactions import quotes
from orders.scopes import Reader, Writer
from orders.states import Status
from orders.versions import OrderVersion
from orders.views import FulfilmentView, OrderSummary, OrderVersionView, OrderView
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, between, by_id, equal, numbered
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import ReasonBody, Tx, tenant_router
from tailrace.messaging.sagas import history

router = tenant_router(
    "/v1/orders",
    tag="orders",
    about="Sales orders, from the draft to the last shipment.",
    reads=[catalog, customers, users, teams, templates, days, dates, quotes, saga, *CREDIT],
)

Orders = Annotated[
    PageRequest,
    listed(
        Order,
        by_id(Order),
        any_of(Order.status, Status),
        numbered(Order.number),
        equal(Order.customer_reference),
        equal(Order.customer_id),
        equal(Order.quote_id),
        equal(Order.owner_id),
        equal(Order.allocation, Progress),
        equal(Order.shipment, Progress),
        equal(Order.backordered),
        *between(Order.ordered_at, days),
        sort=[Order.number, Order.ordered_at, Order.priority],
    ),
]

Versions = Annotated[PageRequest, listed(OrderVersion, sort=[OrderVersion.revision])]


@router.post("", status_code=201, response_model=OrderView)
async def create_order(tx: Tx, who: Writer, body: NewOrder) -> Order:
    """Create a draft, or with `confirm` a confirmed order."""
    return await commands.create(tx, body)


@router.get("", response_model=Page[OrderSummary])
async def list_orders(tx: Tx, who: Reader, page: Orders) -> Listing[Order]:
    """Orders without their lines; by `id` they come in order of creation."""
    return await paginate(tx, select(Order).options(raiseload(Order.lines)), page)


@router.get("/{order_id}", response_model=OrderView)
async def read_order(tx: Tx, who: Reader, order_id: UUID) -> Order:
    """One order with its lines."""
    return await tx.find(Order, order_id)


@router.get("/{order_id}/history")
async def read_history(tx: Tx, who: Reader, order_id: UUID) -> FulfilmentView:
    """The steps of the order's fulfilment so far, and what led to each; none for a draft."""
    order = await tx.find(Order, order_id)
    steps = await history(tx, saga.name, order.id)
    return FulfilmentView(order_id=order.id, state=steps[-1].to_state if steps else None, steps=steps)


@router.put("/{order_id}", response_model=OrderView)
async def replace_order(tx: Tx, who: Writer, match: IfMatch, order_id: UUID, body: OrderTerms) -> Order:
    """Replace a draft, lines and all; what is held for credit is a draft then, and its release is asked for no more."""
    return await commands.replace(tx, order_id, match, body)


@router.delete("/{order_id}", status_code=204)
async def delete_order(tx: Tx, who: Writer, match: IfMatch, order_id: UUID) -> None:
    """Drop a draft. It stays readable, as cancelled."""
    await commands.delete(tx, order_id, match)


@router.post("/{order_id}/confirm", response_model=OrderView)
async def confirm_order(tx: Tx, who: Writer, match: IfMatch, order_id: UUID, body: Confirmation | None = None) -> Order:
    """Make a draft binding, at today's prices and tax rates, and begin its fulfilment.

    What the customer may not owe is held for credit (`credit_hold`), and its release is asked for; confirmed again, it is looked at again.
    """
    return await commands.confirm(tx, order_id, match, body or Confirmation())


@router.post("/{order_id}/hold", response_model=OrderView)
async def hold_order(tx: Tx, who: Writer, match: IfMatch, order_id: UUID, body: ReasonBody) -> Order:
    """Stop a confirmed order: nothing more is allocated or shipped until it is resumed."""
    return await commands.hold(tx, order_id, match, body.reason)


@router.post("/{order_id}/resume", response_model=OrderView)
async def resume_order(tx: Tx, who: Writer, match: IfMatch, order_id: UUID) -> Order:
    """Go on with an order on hold."""
    return await commands.resume(tx, order_id, match)


@router.post("/{order_id}/cancel", response_model=OrderView)
async def cancel_order(tx: Tx, who: Writer, match: IfMatch, order_id: UUID, body: ReasonBody) -> Order:
    """Cancel what has not left; stock and shipments are freed. Where something was supplied and services alone are open, these are given up, and the
    order stands, for what was supplied."""
    return await commands.cancel(tx, order_id, match, body.reason)


@router.post("/{order_id}/reopen", response_model=OrderView)
async def reopen_order(tx: Tx, who: Writer, match: IfMatch, order_id: UUID, body: ReasonBody) -> Order:
    """Change a confirmed order of which nothing has left: it is `reopening` until shipments and stock are freed, and then a draft again,
    in its next revision, to be changed and confirmed. It stays confirmed, and says why, when something leaves before that."""
    return await commands.reopen(tx, order_id, match, body.reason)


@router.get("/{order_id}/versions", response_model=Page[OrderVersionView])
async def list_versions(tx: Tx, who: Reader, order_id: UUID, page: Versions) -> Listing[OrderVersion]:
    """What the order was each time before it was reopened, the first revision first."""
    order = await tx.find(Order, order_id)
    return await paginate(tx, select(OrderVersion).where(OrderVersion.order_id == order.id), page)


@router.post("/{order_id}/allocate", response_model=OrderView)
async def allocate_order(tx: Tx, who: Writer, match: IfMatch, order_id: UUID) -> Order:
    """Try again to reserve what is open, after a shortage or a partial reservation."""
    return await commands.allocate(tx, order_id, match)


@router.post("/{order_id}/perform", response_model=OrderView)
async def perform_services(
    tx: Tx, who: Writer, match: IfMatch, order_id: UUID, body: Performance | None = None
) -> Order:
    """Say that services of a confirmed order were performed: all that are open, or so much of some lines. They are supplied by that: revenue and
    tax are booked as of `performed_at`, and they are invoiced as what has left is."""
    return await commands.perform(tx, order_id, match, body or Performance())
