"""/v1/shipments: from the pick list to the proof of delivery. Shipments come from orders; here they are prepared, split and sent."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from shipping import commands, projections
from shipping.bodies import (
    DeliveryBody,
    DispatchBody,
    FieldsBody,
    LineBody,
    MergeBody,
    PackageBody,
    PickBody,
    SplitBody,
)
from shipping.dates import check_last_days, dates
from shipping.models import Shipment, Wanted
from shipping.papers import papers
from shipping.reactions import order_requests
from shipping.scopes import Reader, Writer
from shipping.views import PickList, PickListLine, ShipmentView, Status
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, by_id, equal, numbered
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router
from tailrace.storage.routes import attachment_routes

router = tenant_router(
    "/v1/shipments",
    tag="shipments",
    about="What leaves for an order, from the pick list to the proof of delivery.",
    reads=[order_requests, projections.lots, projections.days, dates, projections.templates],
)

Shipments = Annotated[
    PageRequest,
    listed(
        Shipment,
        by_id(Shipment),
        equal(Shipment.order_id),
        any_of(Shipment.status, Status),
        equal(Shipment.held),
        numbered(Shipment.number),
        equal(Shipment.tracking_number),
        sort=[Shipment.number, Shipment.status, Shipment.created_at],
    ),
]


@router.get("", response_model=Page[ShipmentView])
async def list_shipments(tx: Tx, who: Reader, page: Shipments) -> Listing[Shipment]:
    """Shipments with their lines and parcels."""
    return await paginate(tx, select(Shipment), page)


@router.get("/{shipment_id}", response_model=ShipmentView)
async def read_shipment(tx: Tx, who: Reader, shipment_id: UUID) -> Shipment:
    """One shipment with its lines and parcels."""
    return await tx.find(Shipment, shipment_id)


@router.get("/{shipment_id}/pick-list", response_model=PickList)
async def read_pick_list(tx: Tx, who: Reader, shipment_id: UUID) -> PickList:
    """What is still to be taken from the shelves, by warehouse and sku."""
    shipment = await tx.find(Shipment, shipment_id)
    lines = [
        PickListLine(
            warehouse_id=line.warehouse_id,
            sku=line.sku,
            name=line.name,
            line_id=line.line_id,
            to_pick=line.unpicked,
            lots=line.as_event().lots,
        )
        for line in sorted(shipment.lines, key=lambda line: (line.warehouse_id, line.sku, line.line_id))
        if line.unpicked and shipment.is_open
    ]
    return PickList(shipment_id=shipment.id, number=shipment.number, held=shipment.held, lines=lines)


@router.put("/{shipment_id}/custom-fields", response_model=ShipmentView)
async def replace_shipment_fields(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: FieldsBody) -> Shipment:
    """Say what the fields are that the company's template adds, all of them, before the shipment leaves."""
    return await commands.describe(tx, shipment_id, match, body.custom_fields)


@router.post("/{shipment_id}/pick", response_model=ShipmentView)
async def pick_shipment(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: PickBody) -> Shipment:
    """Say what was taken from the shelves; all that is left, when no lines are named."""
    return await commands.pick(tx, shipment_id, match, None if body.lines is None else _wanted(body.lines))


@router.post("/{shipment_id}/packages", status_code=201, response_model=ShipmentView)
async def create_package(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: PackageBody) -> Shipment:
    """Put picked goods into a parcel."""
    await check_last_days(tx, [line.expires_on for line in body.lines], "/lines")
    described = body.model_dump(exclude={"lines"})
    marks = {
        line.line_id: line.model_dump(mode="json", include={"gtin", "lot", "expires_on"}, exclude_none=True)
        for line in body.lines
    }
    return await commands.pack(tx, shipment_id, match, _wanted(body.lines), described, marks)


@router.delete("/{shipment_id}/packages/{package_id}", status_code=204)
async def delete_package(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, package_id: UUID) -> None:
    """Take a parcel apart; its goods wait to be packed again, and its SSCC is never given again."""
    await commands.unpack(tx, shipment_id, match, package_id)


@router.post("/{shipment_id}/split", status_code=201, response_model=ShipmentView)
async def split_shipment(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: SplitBody) -> Shipment:
    """Answers with the new shipment. Refused where the company's template says that an order leaves whole."""
    return await commands.split(tx, shipment_id, match, _wanted(body.lines))


@router.post("/{shipment_id}/merge", response_model=ShipmentView)
async def merge_shipments(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: MergeBody) -> Shipment:
    """Take in all of another shipment of the same reservation, which is cancelled."""
    return await commands.merge(tx, shipment_id, match, body.shipment_id)


@router.post("/{shipment_id}/dispatch", response_model=ShipmentView)
async def dispatch_shipment(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: DispatchBody) -> Shipment:
    """Say that the shipment has left. Whatever was left to pick counts as picked."""
    return await commands.dispatch(tx, shipment_id, match, body.carrier_id, body.tracking_number, body.dispatched_at)


@router.post("/{shipment_id}/deliver", response_model=ShipmentView)
async def deliver_shipment(tx: Tx, who: Writer, match: IfMatch, shipment_id: UUID, body: DeliveryBody) -> Shipment:
    """Say that it arrived, and who signed for it."""
    return await commands.deliver(tx, shipment_id, match, body.delivered_at, body.signed_by, body.note)


def _wanted(lines: Sequence[LineBody]) -> Wanted:
    return [(line.line_id, line.quantity) for line in lines]


papers_router = attachment_routes(
    papers,
    "/v1/shipments",
    tag="shipment attachments",
    about="Files that travel with shipments: certificates of the material, signed delivery notes.",
    reader=Reader,
    writer=Writer,
)
