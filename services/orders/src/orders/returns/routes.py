"""Returns and their reasons over HTTP: requested, authorised, cancelled. What comes of them, shipping and accounting say."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import raiseload

from contracts.returns import ReturnStatus
from orders.models import Order
from orders.projections import catalog, days, teams
from orders.returns import commands
from orders.returns.bodies import NewReturn, ReturnReasonBody
from orders.returns.models import Return, ReturnReason
from orders.returns.projections import departures
from orders.returns.reactions import returns
from orders.returns.views import Returnable, ReturnReasonView, ReturnSummary, ReturnView
from orders.scopes import Reader, Writer
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, between, equal, numbered
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import ReasonBody, Tx, tenant_router

_ABOUT = "What customers give back, from the request to its settlement."

router = tenant_router(
    "/v1/returns",
    tag="returns",
    about=_ABOUT,
    reads=[departures, returns, teams, catalog, days],
)
# What was performed is the service's own to say: who asks for it back waits for that, and nobody who only reads a return.
of_supplies = tenant_router(
    "/v1/returns",
    tag="returns",
    reads=[departures, returns, teams, catalog, days],
    reads_own=[departures],
)
of_orders = tenant_router(
    "/v1/orders", tag="returns", about=_ABOUT, reads=[departures, returns, teams], reads_own=[departures]
)
reasons = tenant_router("/v1/return-reasons", tag="return reasons", about="Why goods come back.")

Returns = Annotated[
    PageRequest,
    listed(
        Return,
        any_of(Return.status, ReturnStatus),
        numbered(Return.number),
        equal(Return.order_id),
        equal(Return.customer_id),
        equal(Return.owner_id),
        equal(Return.return_reason_id),
        equal(Return.exchange_order_id),
        *between(Return.created_at, days),
        sort=[Return.number, Return.created_at],
    ),
]

master_data_routes(
    reasons,
    ReturnReason,
    "a return reason",
    body=ReturnReasonBody,
    view=ReturnReasonView,
    reader=Reader,
    writer=Writer,
    deletes="Delete a reason. Returns that gave it keep what it was called.",
)


@of_supplies.post("", status_code=201, response_model=ReturnView)
async def create_return(tx: Tx, who: Writer, body: NewReturn) -> Return:
    """Ask for a return of goods that have left and services that were performed, or with `authorise` agree to it at once."""
    return await commands.create(tx, body)


@router.get("", response_model=Page[ReturnSummary])
async def list_returns(tx: Tx, who: Reader, page: Returns) -> Listing[Return]:
    """Returns without their lines; by `id` they come in order of creation."""
    return await paginate(tx, select(Return).options(raiseload(Return.lines)), page)


@of_orders.get("/{order_id}/returnable")
async def read_returnable(tx: Tx, who: Reader, order_id: UUID) -> Returnable:
    """What of an order has left or was performed, and may still come back."""
    return await commands.returnable(tx, await tx.find(Order, order_id))


@router.get("/{return_id}", response_model=ReturnView)
async def read_return(tx: Tx, who: Reader, return_id: UUID) -> Return:
    """One return with its lines."""
    return await tx.find(Return, return_id)


@router.post("/{return_id}/authorise", response_model=ReturnView)
async def authorise_return(tx: Tx, who: Writer, match: IfMatch, return_id: UUID) -> Return:
    """Agree to it: from here on its goods are expected. Its services are taken back at once."""
    return await commands.authorise(tx, return_id, match)


@router.post("/{return_id}/cancel", response_model=ReturnView)
async def cancel_return(tx: Tx, who: Writer, match: IfMatch, return_id: UUID, body: ReasonBody) -> Return:
    """Expect nothing more of it. Once it was authorised, `cancelling` is true until shipping has answered; what came by then goes its way."""
    return await commands.cancel(tx, return_id, match, body.reason)
