"""Events of the files that travel with a shipment, on `shipment.events`: certificates of its material, a delivery note that was signed."""

from typing import ClassVar
from uuid import UUID

from contracts.shipments import ShipmentTopic
from tailrace.core.attachments import AttachmentEvent


class ShipmentAttachmentEvent(AttachmentEvent, ShipmentTopic):
    """A file of a shipment: what it is, and by which hash to know it. Its key is the attachment, so that each file has an order of its own."""

    shipment_id: UUID


class ShipmentAttachmentAdded(ShipmentAttachmentEvent):
    """There is a new file."""

    type: ClassVar[str] = "shipment.attachment_added"


class ShipmentAttachmentReplaced(ShipmentAttachmentEvent):
    """The file has a new content, or a new name; the earlier ones are kept."""

    type: ClassVar[str] = "shipment.attachment_replaced"


class ShipmentAttachmentDeleted(ShipmentAttachmentEvent):
    """The file is gone from the shipment."""

    type: ClassVar[str] = "shipment.attachment_deleted"


class ShipmentAttachmentRestored(ShipmentAttachmentEvent):
    """The file was deleted by mistake, and is back as it was."""

    type: ClassVar[str] = "shipment.attachment_restored"


class ShipmentAttachmentMoved(ShipmentAttachmentEvent):
    """The file is another shipment's now, which took in all of the one that had it."""

    type: ClassVar[str] = "shipment.attachment_moved"

    from_shipment_id: UUID


PUBLISHED: tuple[type[ShipmentAttachmentEvent], ...] = (
    ShipmentAttachmentAdded,
    ShipmentAttachmentReplaced,
    ShipmentAttachmentDeleted,
    ShipmentAttachmentRestored,
    ShipmentAttachmentMoved,
)
