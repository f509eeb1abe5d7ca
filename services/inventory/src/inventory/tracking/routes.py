"""Lots and back-orders over HTTP: where a lot came from, where it went, what quality says of it; and who waits for what."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from contracts.inventory import LotStatus
from inventory import lots
from inventory.bodies import NewStatus
from inventory.models import Backorder, BackorderPlace, Lot, LotMovement
from inventory.projections import catalog, days
from inventory.reactions import fulfilment
from inventory.scopes import Inspector, Reader
from inventory.tracking import tracing
from inventory.tracking.views import BackorderStatus, BackorderView, LotDetail, LotMovementView, LotView
from inventory.views import Kind
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, between, equal, spelled, where
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/inventory",
    tag="lots",
    about="Lots and serial numbers, what quality says of them and where they went; and back-orders.",
    reads=[catalog, days, fulfilment],
)

Lots = Annotated[
    PageRequest,
    listed(
        Lot,
        equal(Lot.item_id),
        spelled(Lot.number, Lot.number_key),
        any_of(Lot.status, LotStatus),
        *between(Lot.expires_on),
        sort=[Lot.created_at, Lot.number],
    ),
]
Movements = Annotated[
    PageRequest,
    listed(
        LotMovement,
        equal(LotMovement.kind, Kind),
        equal(LotMovement.warehouse_id),
        equal(LotMovement.order_id),
        equal(LotMovement.shipment_id),
        equal(LotMovement.customer_id),
    ),
]
_waits_for = where(
    "item_id",
    UUID,
    lambda wanted: Backorder.id.in_(select(BackorderPlace.backorder_id).where(BackorderPlace.item_id == wanted)),
    "Only those that wait for this item.",
)
Backorders = Annotated[
    PageRequest,
    listed(
        Backorder,
        equal(Backorder.order_id),
        any_of(Backorder.status, BackorderStatus),
        _waits_for,
        sort=[Backorder.priority, Backorder.confirmed_at],
    ),
]


@router.get("/lots", response_model=Page[LotView])
async def list_lots(tx: Tx, who: Reader, page: Lots) -> Listing[Lot]:
    """Lots and serial numbers, those of which nothing is left too."""
    return await paginate(tx, select(Lot), page)


@router.get("/lots/{lot_id}")
async def read_lot(tx: Tx, who: Reader, lot_id: UUID) -> LotDetail:
    """One lot: where it lies, where it came from, and with which shipments it went to whom."""
    return await tracing.detail(tx, lot_id)


@router.get("/lots/{lot_id}/movements", response_model=Page[LotMovementView])
async def list_lot_movements(tx: Tx, who: Reader, lot_id: UUID, page: Movements) -> Listing[LotMovement]:
    """Whatever moved something of a lot; by `id` in order of recording."""
    await tx.find(Lot, lot_id)
    return await paginate(tx, select(LotMovement).where(LotMovement.lot_id == lot_id), page)


@router.post("/lots/{lot_id}/status", response_model=LotView)
async def decide_lot(tx: Tx, who: Inspector, match: IfMatch, lot_id: UUID, body: NewStatus) -> Lot:
    """Release a lot, put it on hold, or block it. What is released goes to those who wait for it."""
    return await lots.decide(tx, lot_id, match, body.status, body.reason)


@router.get("/backorders", response_model=Page[BackorderView])
async def list_backorders(tx: Tx, who: Reader, page: Backorders) -> Listing[Backorder]:
    """What orders wait for, and what they waited for."""
    return await paginate(tx, select(Backorder), page)


@router.get("/backorders/{backorder_id}", response_model=BackorderView)
async def read_backorder(tx: Tx, who: Reader, backorder_id: UUID) -> Backorder:
    """One back-order."""
    return await tx.find(Backorder, backorder_id)
