"""/v1/shipments/labelling: how parcels are numbered. /v1/shipments/{shipment_id}/labels: what is stuck on them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from shipping.carriers import Carrier
from shipping.labels import commands, document
from shipping.labels.bodies import LabellingBody
from shipping.labels.models import Labelling, Language
from shipping.labels.views import LabellingView
from shipping.models import Shipment
from shipping.projections import days
from shipping.reactions import order_requests
from shipping.scopes import Reader, Writer
from tailrace.http.files.paper import Paper
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/shipments",
    tag="labels",
    about="What is stuck on parcels, and how they are numbered.",
    reads=[order_requests, days],
)
_NOTHING_SAID = LabellingView(company_prefix=None, extension_digit=0, sender="", language="en")


@router.get("/labelling")
async def read_labelling(tx: Tx, who: Reader) -> LabellingView:
    """How parcels are numbered and labelled."""
    kept = await commands.labelling_of(tx)
    return _NOTHING_SAID if kept is None else LabellingView.model_validate(kept)


@router.put("/labelling", response_model=LabellingView)
async def replace_labelling(tx: Tx, who: Writer, body: LabellingBody) -> Labelling:
    """Say how parcels are numbered and labelled, all of it. Parcels that have a number keep it."""
    return await commands.set_labelling(tx, body)


@router.get("/{shipment_id}/labels", response_class=Paper, response_model=None)
async def read_labels(
    tx: Tx,
    who: Reader,
    shipment_id: UUID,
    language: Annotated[
        Language | None, Query(description="What they are printed in; as the company has it when left out.")
    ] = None,
) -> Paper:
    """The labels of all parcels, one a page (PDF/A), with their SSCC in bars (GS1-128)."""
    shipment = await tx.find(Shipment, shipment_id)
    carrier_id = shipment.carrier_id or (shipment.booking.carrier_id if shipment.booking else None)
    carrier = await tx.get(Carrier, (tx.tenant_id, carrier_id)) if carrier_id else None
    name = "" if carrier is None else carrier.name
    return document.labels(shipment, await commands.labelling_of(tx), name, language, await days.today(tx))
