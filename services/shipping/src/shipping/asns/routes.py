"""/v1/asns: which parcels are to come, and which came."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from contracts.asns import Direction
from shipping.asns import commands
from shipping.asns.bodies import ArrivalBody, NewAsn, ScanBody, Sscc
from shipping.asns.models import Asn, Status
from shipping.asns.views import AsnSummary, AsnView
from shipping.dates import dates
from shipping.projections import days, goods
from shipping.scopes import Reader, Writer
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, equal, numbered, where
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/asns",
    tag="asns",
    about="Which parcels are on their way to somebody, and which came.",
    reads=[days, dates, goods],
)

Asns = Annotated[
    PageRequest,
    listed(
        Asn,
        numbered(Asn.number),
        equal(Asn.reference),
        equal(Asn.shipment_id),
        any_of(Asn.direction, Direction),
        any_of(Asn.status, Status),
        where("sscc", Sscc, lambda sscc: Asn.packages.contains([{"sscc": sscc}]), "Only those with this parcel."),
        sort=[Asn.number, Asn.created_at],
    ),
]


@router.post("", status_code=201, response_model=AsnView)
async def create_asn(tx: Tx, who: Writer, body: NewAsn) -> Asn:
    """Say which parcels a supplier sends."""
    return await commands.announce(tx, body)


@router.get("", response_model=Page[AsnSummary])
async def list_asns(tx: Tx, who: Reader, page: Asns) -> Listing[Asn]:
    """Notices of what left and of what is to come, without their parcels."""
    return await paginate(tx, select(Asn), page)


@router.get("/{asn_id}", response_model=AsnView)
async def read_asn(tx: Tx, who: Reader, asn_id: UUID) -> Asn:
    """One notice, with its parcels, and what came otherwise than it was announced."""
    return await tx.find(Asn, asn_id)


@router.post("/{asn_id}/arrive", response_model=AsnView)
async def arrive_asn(tx: Tx, who: Writer, match: IfMatch, asn_id: UUID, body: ArrivalBody) -> Asn:
    """Say that the delivery is at the door; its parcels are scanned from then on."""
    return await commands.arrive(tx, asn_id, match, body.arrived_at)


@router.post("/{asn_id}/scan", response_model=AsnView)
async def scan_package(tx: Tx, who: Writer, match: IfMatch, asn_id: UUID, body: ScanBody) -> Asn:
    """Say that a parcel is here: with what was announced of it, or with what was found."""
    return await commands.scan(tx, asn_id, match, body)


@router.post("/{asn_id}/receive", response_model=AsnView)
async def receive_asn(tx: Tx, who: Writer, match: IfMatch, asn_id: UUID) -> Asn:
    """Say that all that came was scanned. What was not is missing."""
    return await commands.receive(tx, asn_id, match)
