"""/v1/carriers: who brings the goods."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, StringConstraints
from sqlalchemy import select

from shipping.carriers import Carrier
from shipping.refusals import Taken
from shipping.routes.policy import Reader, Writer
from tailrace.core.errors import FieldProblem, Unknown
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
    await _refuse_taken(tx, body.code)
    carrier = Carrier.create(body.model_dump())
    tx.add(carrier)
    await tx.flush()
    return carrier


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
    return _live(await tx.find(Carrier, carrier_id))


@router.put("/{carrier_id}", response_model=CarrierView)
async def replace(tx: Tx, who: Writer, match: IfMatch, carrier_id: UUID, body: CarrierBody) -> Carrier:
    """Replace a carrier, whole."""
    carrier = _live(await tx.load(Carrier, carrier_id, match))
    await _refuse_taken(tx, body.code, but=carrier_id)
    carrier.replace(body.model_dump())
    await tx.flush()
    return carrier


@router.delete("/{carrier_id}", status_code=204)
async def delete(tx: Tx, who: Writer, match: IfMatch, carrier_id: UUID) -> None:
    """Take a carrier out of use."""
    _live(await tx.load(Carrier, carrier_id, match)).delete()


def _live(carrier: Carrier) -> Carrier:
    if carrier.deleted_at is not None:
        raise Unknown("Carrier", carrier.id)
    return carrier


async def _refuse_taken(tx: Tx, code: str, *, but: UUID | None = None) -> None:
    holder = await tx.scalar(select(Carrier.id).where(Carrier.code == code, Carrier.deleted_at.is_(None)))
    if holder is not None and holder != but:
        detail = f"{code} belongs to {holder}."
        raise Taken(detail, errors=[FieldProblem(field="/code", detail=detail)])
