"""Inventory over HTTP. Policy, paging and preconditions show in each signature; the commands decide the rest."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy import Select, select

from inventory import commands, queries, reservations, valuation
from inventory.bodies import Moment, NewAdjustment, NewIssue, NewReceipt, NewRelease, NewReservation, NewTransfer
from inventory.commands import Transferred
from inventory.models import Movement, Reservation, StockLevel
from inventory.projections import catalog
from inventory.reactions import fulfilment
from inventory.stock import Place
from inventory.valuation import Valuation
from inventory.views import (
    Kind,
    MovementView,
    ReplayView,
    ReservationStatus,
    ReservationView,
    StockDetail,
    StockView,
    TransferView,
    ValuationView,
)
from tailrace.core.context import Principal
from tailrace.http.auth import Requires
from tailrace.http.etag import IfMatch
from tailrace.http.pagination import Listing, Page, Paging, paginate
from tailrace.http.routing import Tx, tenant_router

Reader = Annotated[Principal, Requires("inventory:read")]
Writer = Annotated[Principal, Requires("inventory:write")]
From = Annotated[Moment | None, Query(description="Took effect at this moment or later.")]
Until = Annotated[Moment | None, Query(description="Took effect before this moment.")]

router = tenant_router("/v1/inventory", tag="inventory", reads=[catalog, fulfilment])


@router.post("/receipts", status_code=201, response_model=MovementView)
async def receive(tx: Tx, who: Writer, match: IfMatch, body: NewReceipt) -> Movement:
    """Take goods in. `If-Match` is the version of the stock, here and in the other movements."""
    return await commands.receive(tx, body, match)


@router.post("/issues", status_code=201, response_model=MovementView)
async def issue(tx: Tx, who: Writer, match: IfMatch, body: NewIssue) -> Movement:
    """Use goods up, of what is free or of what a reservation holds, or more than there is where policy allows it."""
    return await commands.issue(tx, body, match)


@router.post("/adjustments", status_code=201, response_model=MovementView)
async def adjust(tx: Tx, who: Writer, match: IfMatch, body: NewAdjustment) -> Movement:
    """Bring the books in line with a count."""
    return await commands.adjust(tx, body, match)


@router.post("/transfers", status_code=201, response_model=TransferView)
async def transfer(tx: Tx, who: Writer, match: IfMatch, body: NewTransfer) -> Transferred:
    """Move goods to another warehouse, with their valuation layers."""
    return await commands.transfer(tx, body, match)


@router.post("/reservations", status_code=201, response_model=ReservationView)
async def reserve(tx: Tx, who: Writer, body: NewReservation, response: Response) -> Reservation:
    """Hold stock: all lines or none, unless a part will do."""
    reservation = await commands.reserve(tx, body)
    response.headers["Location"] = f"/v1/inventory/reservations/{reservation.id}"
    return reservation


@router.get("/reservations", response_model=Page[ReservationView])
async def list_reservations(
    tx: Tx, who: Reader, page: Paging, order_id: UUID | None = None, status: ReservationStatus | None = None
) -> Listing[Reservation]:
    """List reservations; sort by `id` or `created_at`."""
    query = _equal(select(Reservation), order_id=order_id, status=status)
    return await paginate(tx, query, page, key=Reservation.id, sortable={"created_at": Reservation.created_at})


@router.get("/reservations/{reservation_id}", response_model=ReservationView)
async def read_reservation(tx: Tx, who: Reader, reservation_id: UUID) -> Reservation:
    """One reservation with its lines."""
    return await tx.find(Reservation, reservation_id)


@router.post("/reservations/{reservation_id}/release", response_model=ReservationView)
async def release(
    tx: Tx, who: Writer, match: IfMatch, reservation_id: UUID, body: NewRelease | None = None
) -> Reservation:
    """Give back what a reservation still holds."""
    return await reservations.release(tx, reservation_id, (body or NewRelease()).reason, match)


@router.get("/stock", response_model=Page[StockView])
async def list_stock(
    tx: Tx,
    who: Reader,
    page: Paging,
    item_id: UUID | None = None,
    warehouse_id: UUID | None = None,
    provisional: Annotated[
        bool | None, Query(description="Whether something left that the books did not have.")
    ] = None,
) -> Listing[StockLevel]:
    """List stock by item and warehouse; sort by `id` or `updated_at`."""
    query = _equal(select(StockLevel), item_id=item_id, warehouse_id=warehouse_id)
    if provisional is not None:
        query = query.where(StockLevel.provisional != 0 if provisional else StockLevel.provisional == 0)
    return await paginate(tx, query, page, key=StockLevel.id, sortable={"updated_at": StockLevel.updated_at})


@router.get("/stock/{item_id}/{warehouse_id}")
async def read_stock(tx: Tx, who: Reader, item_id: UUID, warehouse_id: UUID) -> StockDetail:
    """The stock of an item in a warehouse, with its valuation layers."""
    return await queries.stock_with_layers(tx, Place(item_id, warehouse_id))


@router.get("/stock/{item_id}/{warehouse_id}/replay")
async def replay_stock(tx: Tx, who: Reader, item_id: UUID, warehouse_id: UUID) -> ReplayView:
    """Compute the stock from its events again, and compare."""
    return await queries.replayed(tx, Place(item_id, warehouse_id))


@router.get("/valuation", response_model=ValuationView)
async def value_stock(
    tx: Tx,
    who: Reader,
    page: Paging,
    item_id: UUID | None = None,
    warehouse_id: UUID | None = None,
    effective: Annotated[Moment | None, Query(description="What had taken place by then. Now, when left out.")] = None,
    recorded: Annotated[
        Moment | None, Query(description="What was written down by then. Everything settled, when left out.")
    ] = None,
) -> Valuation:
    """Quantity and value of stock at any pair of times; sort by `id`."""
    levels = _equal(select(StockLevel), item_id=item_id, warehouse_id=warehouse_id)
    return await valuation.value_stock(tx, levels, page, effective, recorded)


@router.get("/movements", response_model=Page[MovementView])
async def list_movements(
    tx: Tx,
    who: Reader,
    page: Paging,
    item_id: UUID | None = None,
    warehouse_id: UUID | None = None,
    kind: Kind | None = None,
    reason: Annotated[str | None, Query(max_length=200)] = None,
    order_id: UUID | None = None,
    shipment_id: UUID | None = None,
    effective_from: From = None,
    effective_until: Until = None,
) -> Listing[Movement]:
    """The stock ledger; sort by `id` (in order of recording) or `effective_at`."""
    query = _equal(select(Movement), item_id=item_id, warehouse_id=warehouse_id, kind=kind, reason=reason)
    query = _equal(query, order_id=order_id, shipment_id=shipment_id)
    if effective_from is not None:
        query = query.where(Movement.effective_at >= effective_from)
    if effective_until is not None:
        query = query.where(Movement.effective_at < effective_until)
    return await paginate(tx, query, page, key=Movement.id, sortable={"effective_at": Movement.effective_at})


def _equal(query: Select[Any], **wanted: Any) -> Select[Any]:
    """Narrow the query to rows with these values; None is no condition."""
    return query.filter_by(**{name: value for name, value in wanted.items() if value is not None})
