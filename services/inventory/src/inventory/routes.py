"""Inventory over HTTP. Policy, paging and preconditions show in each signature; the commands decide the rest."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import select

from inventory import commands, queries, reservations, valuation
from inventory.bodies import NewAdjustment, NewIssue, NewReceipt, NewRelease, NewReservation, NewTransfer
from inventory.commands import Transferred
from inventory.models import Movement, Reservation, StockLevel
from inventory.projections import DeliveryLine, catalog, dates, days, deliveries, templates
from inventory.reactions import fulfilment
from inventory.scopes import Reader, Writer
from inventory.stock import Place
from inventory.valuation import Valuation
from inventory.views import (
    DeliveryLineView,
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
from tailrace.core.values.fields import MomentOrDay
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import between, equal, spelled, where
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/inventory",
    tag="inventory",
    about="Stock and its value, every movement, and what is held for whom.",
    reads=[catalog, days, dates, fulfilment, deliveries, templates],
)

Reservations = Annotated[
    PageRequest,
    listed(
        Reservation,
        equal(Reservation.order_id),
        equal(Reservation.status, ReservationStatus),
        sort=[Reservation.created_at],
    ),
]
_of_stock = (equal(StockLevel.item_id), equal(StockLevel.warehouse_id))
_provisional = where(
    "provisional",
    bool,
    lambda wanted: StockLevel.provisional != 0 if wanted else StockLevel.provisional == 0,
    "Whether something left that the books did not have.",
)
Stock = Annotated[PageRequest, listed(StockLevel, *_of_stock, _provisional, sort=[StockLevel.updated_at])]
Valued = Annotated[PageRequest, listed(StockLevel, *_of_stock)]
DeliveryLines = Annotated[
    PageRequest,
    listed(
        DeliveryLine,
        equal(DeliveryLine.asn_id),
        spelled(DeliveryLine.sku),
        where(
            "waiting",
            bool,
            lambda wanted: (DeliveryLine.taken_in < DeliveryLine.received).is_(wanted),
            "Whether some of it is still to be put away.",
        ),
        sort=[DeliveryLine.received_at],
    ),
]
Movements = Annotated[
    PageRequest,
    listed(
        Movement,
        equal(Movement.item_id),
        equal(Movement.warehouse_id),
        equal(Movement.kind, Kind),
        equal(Movement.reason),
        equal(Movement.order_id),
        equal(Movement.shipment_id),
        equal(Movement.delivery_line_id),
        *between(Movement.effective_at, days),
        sort=[Movement.effective_at],
    ),
]


@router.post("/receipts", status_code=201, response_model=MovementView)
async def create_receipt(tx: Tx, who: Writer, match: IfMatch, body: NewReceipt) -> Movement:
    """Take goods in. `If-Match` is the version of the stock, here and in the other movements."""
    return await commands.receive(tx, body, match)


@router.get("/delivery-lines", response_model=Page[DeliveryLineView])
async def list_delivery_lines(tx: Tx, who: Reader, page: DeliveryLines) -> Listing[DeliveryLine]:
    """What suppliers delivered, by goods and lots, and how much of it is in stock."""
    return await paginate(tx, select(DeliveryLine), page)


@router.post("/issues", status_code=201, response_model=MovementView)
async def create_issue(tx: Tx, who: Writer, match: IfMatch, body: NewIssue) -> Movement:
    """Use goods up, of what is free or of what a reservation holds, or more than there is where policy allows it."""
    return await commands.issue(tx, body, match)


@router.post("/adjustments", status_code=201, response_model=MovementView)
async def create_adjustment(tx: Tx, who: Writer, match: IfMatch, body: NewAdjustment) -> Movement:
    """Bring the books in line with a count."""
    return await commands.adjust(tx, body, match)


@router.post("/transfers", status_code=201, response_model=TransferView)
async def create_transfer(tx: Tx, who: Writer, match: IfMatch, body: NewTransfer) -> Transferred:
    """Move goods to another warehouse, with their valuation layers."""
    return await commands.transfer(tx, body, match)


@router.post("/reservations", status_code=201, response_model=ReservationView)
async def create_reservation(tx: Tx, who: Writer, body: NewReservation) -> Reservation:
    """Hold stock: all lines or none, unless a part will do."""
    return await commands.reserve(tx, body)


@router.get("/reservations", response_model=Page[ReservationView])
async def list_reservations(tx: Tx, who: Reader, page: Reservations) -> Listing[Reservation]:
    """Reservations, those that ended too."""
    return await paginate(tx, select(Reservation), page)


@router.get("/reservations/{reservation_id}", response_model=ReservationView)
async def read_reservation(tx: Tx, who: Reader, reservation_id: UUID) -> Reservation:
    """One reservation with its lines."""
    return await tx.find(Reservation, reservation_id)


@router.post("/reservations/{reservation_id}/release", response_model=ReservationView)
async def release_reservation(
    tx: Tx, who: Writer, match: IfMatch, reservation_id: UUID, body: NewRelease | None = None
) -> Reservation:
    """Give back what a reservation still holds."""
    return await reservations.release(tx, reservation_id, (body or NewRelease()).reason, match)


@router.get("/stock", response_model=Page[StockView])
async def list_stock(tx: Tx, who: Reader, page: Stock) -> Listing[StockLevel]:
    """Stock by item and warehouse."""
    return await paginate(tx, select(StockLevel), page)


@router.get("/stock/{item_id}/{warehouse_id}")
async def read_stock(tx: Tx, who: Reader, item_id: UUID, warehouse_id: UUID) -> StockDetail:
    """The stock of an item in a warehouse, with its valuation layers."""
    return await queries.stock_with_layers(tx, Place(item_id, warehouse_id))


@router.get("/stock/{item_id}/{warehouse_id}/replay")
async def read_replay(tx: Tx, who: Reader, item_id: UUID, warehouse_id: UUID) -> ReplayView:
    """Compute the stock from its events again, and compare."""
    return await queries.replayed(tx, Place(item_id, warehouse_id))


@router.get("/valuation", response_model=ValuationView)
async def read_valuation(
    tx: Tx,
    who: Reader,
    page: Valued,
    effective: Annotated[
        MomentOrDay | None,
        Query(
            description="What had taken place by then: a time, or a day of the company's to its end. Now, when left out."
        ),
    ] = None,
    recorded: Annotated[
        MomentOrDay | None,
        Query(
            description="What was written down by then: a time, or a day of the company's to its end."
            " Everything settled, when left out."
        ),
    ] = None,
) -> Valuation:
    """Quantity and value of stock at any pair of times."""
    return await valuation.value_stock(tx, page, effective, recorded)


@router.get("/movements", response_model=Page[MovementView])
async def list_movements(tx: Tx, who: Reader, page: Movements) -> Listing[Movement]:
    """The stock ledger; by `id` it comes in order of recording."""
    return await paginate(tx, select(Movement), page)
