"""Events of advance shipping notices, on `shipment.events` (Torrent4.0 design, supply chain): which parcels are to come, and which came."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.shipments import ShipmentTopic
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Quantity, SignedQuantity

Direction = Literal["outbound", "inbound"]


class AsnEvent(ShipmentTopic):
    asn_id: UUID


class AsnLine(BaseModel):
    """Goods in a parcel, by the sender's own code of the item, with what their label says."""

    model_config = ConfigDict(frozen=True)

    sku: str
    name: str | None = None
    quantity: Quantity
    gtin: str | None = None
    lot: str | None = None
    expires_on: date | None = None


class AsnPackage(BaseModel):
    """A parcel by its SSCC (GS1)."""

    model_config = ConfigDict(frozen=True)

    sscc: str
    weight_grams: int | None = None
    lines: list[AsnLine]


class AsnCreated(AsnEvent):
    """Parcels are announced: `outbound` those of a shipment that left, to who ordered; `inbound` those that a supplier sends."""

    type: ClassVar[str] = "scm.asn.created"

    number: str
    direction: Direction
    partner_name: Personal[str]
    reference: str
    expected_on: date | None = None
    shipment_id: UUID | None = None
    packages: list[AsnPackage]


class AsnArrived(AsnEvent):
    """The delivery is at the door; its parcels are scanned from now on."""

    type: ClassVar[str] = "scm.asn.arrived"

    arrived_at: datetime


class AsnScanned(AsnEvent):
    """A parcel is here. `announced`: whether it was to come with this delivery."""

    type: ClassVar[str] = "scm.asn.scanned"

    package: AsnPackage
    announced: bool


class AsnDifference(BaseModel):
    """What came otherwise than it was announced, in one parcel, of one item and lot. Zero was announced of what nobody expected."""

    model_config = ConfigDict(frozen=True)

    sscc: str
    sku: str
    lot: str | None = None
    announced: SignedQuantity
    received: SignedQuantity


class AsnReceived(AsnEvent):
    """All that came of a delivery was taken in: `packages` as they were found, `differences` from what was announced."""

    type: ClassVar[str] = "scm.asn.received"

    number: str
    reference: str
    received_at: datetime
    packages: list[AsnPackage]
    differences: list[AsnDifference]


PUBLISHED: tuple[type[ShipmentTopic], ...] = (AsnCreated, AsnArrived, AsnScanned, AsnReceived)
