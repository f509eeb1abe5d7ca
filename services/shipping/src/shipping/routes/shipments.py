"""/v1/shipments: from the pick list to the proof of delivery. Shipments come from orders; here they are prepared, split and sent."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints
from sqlalchemy import select

from contracts.orders import Address
from shipping import commands
from shipping.models import Shipment, Wanted
from shipping.reactions import order_requests
from shipping.routes.policy import Reader, Writer
from tailrace.core.money import Exact, Quantity
from tailrace.core.personal_data import Personal
from tailrace.http.etag import IfMatch
from tailrace.http.pagination import Listing, Page, Paging, paginate
from tailrace.http.routing import Body, Tx, View, tenant_router

router = tenant_router("/v1/shipments", tag="shipments", reads=[order_requests])

Status = Literal["pending", "picking", "picked", "packed", "dispatched", "delivered", "cancelled"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _passed(moment: datetime) -> datetime:
    if moment > datetime.now(UTC):
        raise ValueError("lies in the future")
    return moment.astimezone(UTC)


Past = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC)), AfterValidator(_passed)]
"""A moment that has passed, with its offset from UTC."""


class LineBody(Body):
    """How much of an order line, in the item's base unit."""

    line_id: UUID
    quantity: Quantity


Lines = Annotated[list[LineBody], Field(min_length=1, max_length=500)]


class PickBody(Body):
    """What was taken from the shelf; everything that is left, when no lines are named."""

    lines: Lines | None = None


class PackageBody(Body):
    """What is in a parcel, and its weight in grams."""

    lines: Lines
    weight_grams: Annotated[int, Field(gt=0, le=10**9)] | None = None


class SplitBody(Body):
    """What is to leave in a shipment of its own."""

    lines: Lines


class DispatchBody(Body):
    """With whom it left, and when (now, unless said otherwise)."""

    carrier_id: UUID | None = None
    tracking_number: Text | None = None
    dispatched_at: Past | None = None


class DeliveryBody(Body):
    """Proof of delivery."""

    signed_by: Personal[Text]
    delivered_at: Past | None = None
    note: Annotated[str, StringConstraints(max_length=2000)] | None = None


class LineView(View):
    line_id: UUID
    item_id: UUID
    sku: str
    name: str
    warehouse_id: UUID
    quantity: Exact
    picked: Exact


class PackageLineView(View):
    line_id: UUID
    quantity: Exact


class PackageView(View):
    id: UUID
    weight_grams: int | None
    lines: list[PackageLineView]


class ShipmentView(View):
    id: UUID
    version: int
    number: str
    order_id: UUID
    order_number: str
    reservation_id: UUID
    split_from: UUID | None
    status: Status
    held: bool
    reason: str | None
    customer_reference: str
    customer_name: Personal[str]
    ship_to: Address | None
    carrier_id: UUID | None
    tracking_number: str | None
    tracking_link: str | None
    dispatched_at: datetime | None
    delivered_at: datetime | None
    signed_by: Personal[str] | None
    note: str | None
    lines: list[LineView]
    packages: list[PackageView]
    created_at: datetime
    updated_at: datetime


class PickListLine(View):
    warehouse_id: UUID
    sku: str
    name: str
    line_id: UUID
    to_pick: Exact


class PickList(View):
    """What is still to be taken from the shelves, by warehouse and sku."""

    shipment_id: UUID
    number: str
    held: bool
    lines: list[PickListLine]


@router.get("", response_model=Page[ShipmentView])
async def listing(
    tx: Tx,
    who: Reader,
    page: Paging,
    order_id: UUID | None = None,
    status: Status | None = None,
    held: bool | None = None,
    number: str | None = None,
    tracking_number: Annotated[str | None, Query(max_length=200)] = None,
) -> Listing[Shipment]:
    """Shipments; sort by `number`, `status`, `created_at` or `id`."""
    query = select(Shipment)
    for column, value in (
        (Shipment.order_id, order_id),
        (Shipment.status, status),
        (Shipment.held, held),
        (Shipment.number, number),
        (Shipment.tracking_number, tracking_number),
    ):
        if value is not None:
            query = query.where(column == value)
    sortable = {"number": Shipment.number, "status": Shipment.status, "created_at": Shipment.created_at}
    return await paginate(tx, query, page, key=Shipment.id, sortable=sortable)


@router.get("/{shipment_id}", response_model=ShipmentView)
async def read(tx: Tx, who: Reader, shipment_id: UUID) -> Shipment:
    """One shipment with its lines and parcels."""
    return await tx.find(Shipment, shipment_id)


@router.get("/{shipment_id}/pick-list", response_model=PickList)
async def pick_list(tx: Tx, who: Reader, shipment_id: UUID) -> PickList:
    """What is still to be taken from the shelves, by warehouse and sku."""
    shipment = await tx.find(Shipment, shipment_id)
    lines = [
        PickListLine(
            warehouse_id=line.warehouse_id, sku=line.sku, name=line.name, line_id=line.line_id, to_pick=line.unpicked
        )
        for line in sorted(shipment.lines, key=lambda line: (line.warehouse_id, line.sku, line.line_id))
        if line.unpicked and shipment.is_open
    ]
    return PickList(shipment_id=shipment.id, number=shipment.number, held=shipment.held, lines=lines)


@router.post("/{shipment_id}/pick", response_model=ShipmentView)
async def pick(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: PickBody) -> Shipment:
    """Say what was taken from the shelves; all that is left, when no lines are named."""
    return await commands.pick(tx, shipment_id, match, None if body.lines is None else _wanted(body.lines))


@router.post("/{shipment_id}/packages", status_code=201, response_model=ShipmentView)
async def pack(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: PackageBody) -> Shipment:
    """Put picked goods into a parcel."""
    return await commands.pack(tx, shipment_id, match, _wanted(body.lines), body.weight_grams)


@router.post("/{shipment_id}/split", status_code=201, response_model=ShipmentView)
async def split(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: SplitBody) -> Shipment:
    """Answers with the new shipment."""
    return await commands.split(tx, shipment_id, match, _wanted(body.lines))


@router.post("/{shipment_id}/dispatch", response_model=ShipmentView)
async def dispatch(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: DispatchBody) -> Shipment:
    """Say that the shipment has left. Whatever was left to pick counts as picked."""
    return await commands.dispatch(tx, shipment_id, match, body.carrier_id, body.tracking_number, body.dispatched_at)


@router.post("/{shipment_id}/deliver", response_model=ShipmentView)
async def deliver(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: DeliveryBody) -> Shipment:
    """Say that it arrived, and who signed for it."""
    return await commands.deliver(tx, shipment_id, match, body.delivered_at, body.signed_by, body.note)


def _wanted(lines: Sequence[LineBody]) -> Wanted:
    return [(line.line_id, line.quantity) for line in lines]
