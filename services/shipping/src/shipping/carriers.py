"""Carriers: who brings the goods, and where a parcel's way can be followed."""

from urllib.parse import quote

from sqlalchemy.orm import Mapped

from contracts.shipments import CarrierCreated, CarrierDeleted, CarrierUpdated
from shipping.base import Base
from tailrace.db.master_data import MasterData


class Carrier(MasterData, Base):
    """Who brings the goods."""

    __tablename__ = "carrier"
    created, updated, deleted = CarrierCreated, CarrierUpdated, CarrierDeleted

    code: Mapped[str]
    tracking_url: Mapped[str | None]
    """Holds `{number}` where the tracking number goes."""
    active: Mapped[bool]

    def link(self, tracking_number: str) -> str | None:
        """Where this parcel can be followed, if the carrier offers that."""
        return self.tracking_url.replace("{number}", quote(tracking_number, safe="")) if self.tracking_url else None
