"""/v1/carriers: who brings the goods."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, StringConstraints
from sqlalchemy import select

from shipping.carriers import Carrier
from shipping.routes.policy import Reader, Writer
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.pagination import Listing, Page, Paging, paginate
from tailrace.http.routing import Body, Tx, View, tenant_router

router = tenant_router("/v1/carriers", tag="carriers")


def _with_number(url: str) -> str:
    if "{number}" not in url:
        raise ValueError("must hold {number}, where the tracking number goes")
    return url


TrackingUrl = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^https?://[^\s\"'<>]+$"), AfterValidator(_with_number)
]


class CarrierBody(Body):
    """A carrier as it is to be."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    tracking_url: TrackingUrl | None = None
    active: bool = True


class CarrierView(View):
    id: UUID
    version: int
    code: str
    name: str
    tracking_url: str | None
    active: bool
    created_at: datetime
    updated_at: datetime


@router.post("", status_code=201, response_model=CarrierView)
async def create(tx: Tx, who: Writer, body: CarrierBody) -> Carrier:
    """Add a carrier."""
    return await master_data.create(tx, Carrier, body.model_dump())


@router.get("", response_model=Page[CarrierView])
async def listing(
    tx: Tx, who: Reader, page: Paging, code: str | None = None, active: bool | None = None
) -> Listing[Carrier]:
    """Carriers; sort by `code`, `name` or `id`."""
    query = select(Carrier).where(Carrier.deleted_at.is_(None))
    for column, value in ((Carrier.code, code), (Carrier.active, active)):
        if value is not None:
            query = query.where(column == value)
    return await paginate(tx, query, page, key=Carrier.id, sortable={"code": Carrier.code, "name": Carrier.name})


@router.get("/{carrier_id}", response_model=CarrierView)
async def read(tx: Tx, who: Reader, carrier_id: UUID) -> Carrier:
    """One carrier."""
    return await tx.find(Carrier, carrier_id)


@router.put("/{carrier_id}", response_model=CarrierView)
async def replace(tx: Tx, who: Writer, match: IfMatch, carrier_id: UUID, body: CarrierBody) -> Carrier:
    """Replace a carrier, whole."""
    return await master_data.replace(tx, Carrier, carrier_id, match, body.model_dump())


@router.delete("/{carrier_id}", status_code=204)
async def delete(tx: Tx, who: Writer, match: IfMatch, carrier_id: UUID) -> None:
    """Take a carrier out of use."""
    await master_data.delete(tx, Carrier, carrier_id, match)
