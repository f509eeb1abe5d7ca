"""/v1/carriers: who brings the goods."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from shipping.bodies import CarrierBody
from shipping.carriers import Carrier
from shipping.scopes import Reader, Writer
from shipping.views import CarrierView
from tailrace.core.errors import CodeTaken, Unknown
from tailrace.http.etag import IfMatch
from tailrace.http.filters import equal, part_of
from tailrace.http.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router("/v1/carriers", tag="carriers")

Carriers = Annotated[
    PageRequest,
    listed(
        Carrier,
        equal(Carrier.code),
        part_of(Carrier.name),
        equal(Carrier.active),
        sort=[Carrier.code, Carrier.name],
    ),
]


@router.post("", status_code=201, response_model=CarrierView)
async def create_carrier(tx: Tx, who: Writer, body: CarrierBody) -> Carrier:
    """Add a carrier."""
    await _refuse_taken(tx, body.code)
    carrier = Carrier.create(body.model_dump())
    tx.add(carrier)
    return carrier


@router.get("", response_model=Page[CarrierView])
async def list_carriers(tx: Tx, who: Reader, page: Carriers) -> Listing[Carrier]:
    """Carriers."""
    return await paginate(tx, select(Carrier).where(Carrier.deleted_at.is_(None)), page)


@router.get("/{carrier_id}", response_model=CarrierView)
async def read_carrier(tx: Tx, who: Reader, carrier_id: UUID) -> Carrier:
    """One carrier."""
    return _live(await tx.find(Carrier, carrier_id))


@router.put("/{carrier_id}", response_model=CarrierView)
async def replace_carrier(tx: Tx, who: Writer, match: IfMatch, carrier_id: UUID, body: CarrierBody) -> Carrier:
    """Replace a carrier, whole."""
    carrier = _live(await tx.load(Carrier, carrier_id, match))
    await _refuse_taken(tx, body.code, but=carrier_id)
    carrier.replace(body.model_dump())
    return carrier


@router.delete("/{carrier_id}", status_code=204)
async def delete_carrier(tx: Tx, who: Writer, match: IfMatch, carrier_id: UUID) -> None:
    """Take a carrier out of use."""
    _live(await tx.load(Carrier, carrier_id, match)).delete()


def _live(carrier: Carrier) -> Carrier:
    if carrier.deleted_at is not None:
        raise Unknown("Carrier", carrier.id)
    return carrier


async def _refuse_taken(tx: Tx, code: str, *, but: UUID | None = None) -> None:
    holder = await tx.scalar(select(Carrier.id).where(Carrier.code == code, Carrier.deleted_at.is_(None)))
    if holder is not None and holder != but:
        raise CodeTaken(f"{code} belongs to {holder}.", field="/code")
