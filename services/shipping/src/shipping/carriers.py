"""Carriers: who brings the goods, and where a parcel's way can be followed."""

from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from contracts.shipments import CarrierCreated, CarrierDeleted, CarrierRestored, CarrierUpdated
from shipping.base import Base
from tailrace.core.errors import InUse
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

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse while a shipment is on its way with it."""
        shipments = Base.metadata.tables["shipment"].c
        on_its_way = select(shipments.number).where(shipments.carrier_id == self.id, shipments.status == "dispatched")
        if (number := await tx.scalar(on_its_way.order_by(shipments.id).limit(1))) is not None:
            raise InUse(f"Shipment {number} is on its way with {self.code}.")

    def link(self, tracking_number: str) -> str | None:
        """Where this parcel can be followed, if the carrier offers that."""
        return self.tracking_url.replace("{number}", quote(tracking_number, safe="")) if self.tracking_url else None
