"""/v1/return-shipments: what is expected back, what came, and what becomes of it. What it is expected for is a return at `/v1/returns`."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from shipping.dates import dates
from shipping.projections import days
from shipping.returns import commands
from shipping.returns.bodies import InspectionBody, ReceiptBody
from shipping.returns.models import ReturnShipment, Status
from shipping.returns.reactions import return_requests
from shipping.returns.views import ReturnShipmentView
from shipping.scopes import Reader, Writer
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, equal, numbered
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/return-shipments",
    tag="return shipments",
    about="Goods that customers send back, from the door to the shelf.",
    reads=[return_requests, days, dates],
)

ReturnShipments = Annotated[
    PageRequest,
    listed(
        ReturnShipment,
        equal(ReturnShipment.order_id),
        equal(ReturnShipment.return_id),
        any_of(ReturnShipment.status, Status),
        numbered(ReturnShipment.number),
        sort=[ReturnShipment.number, ReturnShipment.status, ReturnShipment.created_at],
    ),
]


@router.get("", response_model=Page[ReturnShipmentView])
async def list_return_shipments(tx: Tx, who: Reader, page: ReturnShipments) -> Listing[ReturnShipment]:
    """What is expected back or has come, with its lines."""
    return await paginate(tx, select(ReturnShipment), page)


@router.get("/{return_shipment_id}", response_model=ReturnShipmentView)
async def read_return_shipment(tx: Tx, who: Reader, return_shipment_id: UUID) -> ReturnShipment:
    """One of them with its lines."""
    return await tx.find(ReturnShipment, return_shipment_id)


@router.post("/{return_shipment_id}/receive", response_model=ReturnShipmentView)
async def receive_return_shipment(
    tx: Tx, who: Writer, match: IfMatch, return_shipment_id: UUID, body: ReceiptBody
) -> ReturnShipment:
    """Say what came. It is no stock before it was inspected."""
    return await commands.receive(tx, return_shipment_id, match, body)


@router.post("/{return_shipment_id}/inspect", response_model=ReturnShipmentView)
async def inspect_return_shipment(
    tx: Tx, who: Writer, match: IfMatch, return_shipment_id: UUID, body: InspectionBody
) -> ReturnShipment:
    """Say what becomes of goods that came: what is restocked or scrapped is credited to the customer, what is sent back is not."""
    return await commands.inspect(tx, return_shipment_id, match, body)
