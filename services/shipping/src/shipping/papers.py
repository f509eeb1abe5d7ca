"""What travels with a shipment on paper, and what the company's template wants of what leaves: a certificate, the heat numbers of the metal, fields.

A heat number is the number of a lot. The rules are the company's, as the template says that it chose when the shipment leaves.
"""

from sqlalchemy import func, select

from contracts import shipment_papers as events
from contracts.lots import LotQuantity
from shipping.models import Shipment
from shipping.projections import settings
from shipping.refusals import CertificateMissing, FieldMissing, HeatNumberMissing
from tailrace.db.database import Tx
from tailrace.storage.attachments import AttachmentEvents, Attachments

papers = Attachments(
    Shipment,
    AttachmentEvents(
        added=events.ShipmentAttachmentAdded,
        replaced=events.ShipmentAttachmentReplaced,
        deleted=events.ShipmentAttachmentDeleted,
        restored=events.ShipmentAttachmentRestored,
        moved=events.ShipmentAttachmentMoved,
    ),
)


async def ensure_complete(tx: Tx, shipment: Shipment) -> None:
    """Raises FieldMissing, HeatNumberMissing, CertificateMissing."""
    said = await settings.effective(tx)
    fields, wanted = said.fields.get("shipment", []), said.shipping
    if missing := [field for field in fields if field.required and field.key not in shipment.custom_fields]:
        raise FieldMissing(shipment.number, missing)
    if wanted.heat_numbers:
        for position, line in enumerate(shipment.lines):
            named = sum(LotQuantity.model_validate(lot).quantity for lot in line.lots)
            if named < line.quantity:
                raise HeatNumberMissing(line.sku, position)
    if wanted.certificates:
        files = papers.of(shipment.id).subquery()
        if not await tx.scalar(select(func.count()).select_from(files)):
            raise CertificateMissing(shipment.number)
