"""/v1/carriers: who brings the goods."""

from typing import Annotated
from uuid import UUID

from shipping.bodies import CarrierBody
from shipping.carriers import Carrier
from shipping.scopes import Reader, Writer
from shipping.views import CarrierView
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.filters import Deleted, called, equal, part_of
from tailrace.http.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router("/v1/carriers", tag="carriers", about="Who takes parcels.")

Carriers = Annotated[
    PageRequest,
    listed(
        Carrier,
        called(Carrier),
        part_of(Carrier.name),
        equal(Carrier.active),
        sort=[Carrier.code, Carrier.name],
    ),
]


@router.post("", status_code=201, response_model=CarrierView)
async def create_carrier(tx: Tx, who: Writer, body: CarrierBody) -> Carrier:
    """Add a carrier."""
    return await master_data.create(tx, Carrier, body.model_dump())


@router.get("", response_model=Page[CarrierView])
async def list_carriers(tx: Tx, who: Reader, page: Carriers, deleted: Deleted = False) -> Listing[Carrier]:
    """Carriers."""
    return await paginate(tx, master_data.rows(Carrier, deleted=deleted), page)


@router.get("/{carrier_id}", response_model=CarrierView)
async def read_carrier(tx: Tx, who: Reader, carrier_id: UUID) -> Carrier:
    """One carrier."""
    return await tx.find(Carrier, carrier_id)


@router.put("/{carrier_id}", response_model=CarrierView)
async def replace_carrier(tx: Tx, who: Writer, match: IfMatch, carrier_id: UUID, body: CarrierBody) -> Carrier:
    """Replace a carrier, whole."""
    return await master_data.replace(tx, Carrier, carrier_id, match, body.model_dump())


@router.delete("/{carrier_id}", status_code=204)
async def delete_carrier(tx: Tx, who: Writer, match: IfMatch, carrier_id: UUID) -> None:
    """Delete a carrier that no shipment is on its way with. `active: false` closes it to new ones before that."""
    await master_data.delete(tx, Carrier, carrier_id, match)


@router.post("/{carrier_id}/restore", response_model=CarrierView)
async def restore_carrier(tx: Tx, who: Writer, match: IfMatch, carrier_id: UUID) -> Carrier:
    """Take a deleted carrier back into use, as it was, unless another one has its code by now."""
    return await master_data.restore(tx, Carrier, carrier_id, match)
