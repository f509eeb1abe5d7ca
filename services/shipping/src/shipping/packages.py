"""Parcels: what is in each, how heavy and large it is, and by which number everybody on its way knows it."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Mapped, relationship

from contracts import shipments as events
from shipping.base import Base
from tailrace.core.errors import Taken
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Part
from tailrace.db.unique import unique_value

if TYPE_CHECKING:
    from shipping.models import Shipment


class Package(Part, Base):
    """A parcel: `lines` is its content, as `{"line_id": …, "quantity": "…"}`, with `gtin`, `lot` and `expires_on` where the goods say them."""

    __tablename__ = "package"
    __root__ = "shipment"
    __table_args__ = (
        refers_to("shipment", "shipment_id"),
        tenant_index("shipment_id"),
        unique_value("sscc", refusal=Taken, where="sscc IS NOT NULL"),
    )

    shipment_id: Mapped[UUID]
    weight_grams: Mapped[int | None]
    length_mm: Mapped[int | None]
    width_mm: Mapped[int | None]
    height_mm: Mapped[int | None]
    sscc: Mapped[str | None]
    lines: Mapped[list[dict[str, Any]]]
    shipment: Mapped["Shipment"] = relationship(back_populates="packages")

    def as_event(self) -> events.PackageContent:
        names = ("weight_grams", "length_mm", "width_mm", "height_mm", "sscc", "lines")
        return events.PackageContent(package_id=self.id, **{name: getattr(self, name) for name in names})
