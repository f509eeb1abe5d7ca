"""Carriers: who brings the goods, and where a parcel's way can be followed."""

from urllib.parse import quote
from uuid import UUID

from sqlalchemy import false, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.shipments import CarrierCreated, CarrierDeleted, CarrierRestored, CarrierUpdated
from shipping.base import Base
from shipping.booking.models import OPEN, Booking
from tailrace.core.errors import InUse, Invalid
from tailrace.db.database import Tx
from tailrace.db.master_data import MasterData


class Carrier(MasterData, Base):
    """Who brings the goods."""

    __tablename__ = "carrier"
    created, updated, deleted, restored = CarrierCreated, CarrierUpdated, CarrierDeleted, CarrierRestored

    code: Mapped[str]
    tracking_url: Mapped[str | None]
    """Holds `{number}` where the tracking number goes."""
    active: Mapped[bool]
    bookable: Mapped[bool] = mapped_column(server_default=false())
    """Whether it is asked over the wire."""

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse while a shipment is on its way or booked with it, or a tariff says what it asks for."""
        shipments = Base.metadata.tables["shipment"].c
        on_its_way = select(shipments.number).where(shipments.carrier_id == self.id, shipments.status == "dispatched")
        if (number := await tx.scalar(on_its_way.order_by(shipments.id).limit(1))) is not None:
            raise InUse(f"Shipment {number} is on its way with {self.code}.")
        tariffs = Base.metadata.tables["tariff"].c
        of_it = select(tariffs.code).where(tariffs.carrier_id == self.id, tariffs.deleted_at.is_(None))
        if (code := await tx.scalar(of_it.order_by(tariffs.id).limit(1))) is not None:
            raise InUse(f"Tariff {code} is one of {self.code}.")

        booked = select(Booking.shipment_number).where(
            Booking.carrier_id == self.id, Booking.status.in_(OPEN), ~Booking.ended
        )
        if (number := await tx.scalar(booked.order_by(Booking.id).limit(1))) is not None:
            raise InUse(f"Shipment {number} is booked with {self.code}.")

    def link(self, tracking_number: str) -> str | None:
        """Where this parcel can be followed, if the carrier offers that."""
        return self.tracking_url.replace("{number}", quote(tracking_number, safe="")) if self.tracking_url else None


async def active_carrier(tx: Tx, carrier_id: UUID) -> Carrier:
    """One that shipments may go with; not deleted before this transaction ends. Raises Invalid."""
    known = select(Carrier).where(Carrier.id == carrier_id, Carrier.active, Carrier.deleted_at.is_(None))
    carrier = await tx.scalar(known.with_for_update(key_share=True, read=True))
    if carrier is None:
        raise Invalid.field("/carrier_id", f"There is no active carrier {carrier_id}.")
    return carrier
