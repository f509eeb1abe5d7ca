"""Carriers: who brings the goods, and where a parcel's way can be followed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.shipments import CarrierCreated, CarrierDeleted, CarrierUpdated
from shipping.base import Base
from tailrace.core.ids import uuid7
from tailrace.db.models import Aggregate


class Carrier(Aggregate, Base):
    """Deleted, it keeps its id for the shipments that name it and gives its code free."""

    __tablename__ = "carrier"
    __table_args__ = (
        Index(
            "uq_carrier_tenant_id_code", "tenant_id", "code", unique=True, postgresql_where=text("deleted_at IS NULL")
        ),
        Index("ix_carrier_tenant_id_name_id", "tenant_id", "name", "id"),
    )

    code: Mapped[str]
    name: Mapped[str]
    tracking_url: Mapped[str | None]
    """Holds `{number}` where the tracking number goes."""
    active: Mapped[bool]
    deleted_at: Mapped[datetime | None] = mapped_column(sort_order=93)

    @classmethod
    def create(cls, values: Mapping[str, Any]) -> Self:
        carrier = cls(id=uuid7(), **values)
        carrier.record(CarrierCreated(**carrier._description()))
        return carrier

    def replace(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.record(CarrierUpdated(**self._description()))

    def delete(self) -> None:
        self.deleted_at = datetime.now(UTC)
        self.record(CarrierDeleted(carrier_id=self.id, code=self.code))

    def link(self, tracking_number: str) -> str | None:
        """Where this parcel can be followed, if the carrier offers that."""
        return self.tracking_url.replace("{number}", quote(tracking_number, safe="")) if self.tracking_url else None

    def _description(self) -> dict[str, Any]:
        return {
            "carrier_id": self.id,
            "code": self.code,
            "name": self.name,
            "tracking_url": self.tracking_url,
            "active": self.active,
        }
