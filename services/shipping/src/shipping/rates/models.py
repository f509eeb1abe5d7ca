"""Tariffs: what a carrier asks for a service, from one day to another."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from contracts.carriage import TariffCreated, TariffDeleted, TariffRestored, TariffUpdated
from shipping.base import Base
from shipping.carriers import Carrier
from shipping.dates import dates
from tailrace.core.errors import Invalid
from tailrace.db.database import Tx
from tailrace.db.master_data import MasterData


class Tariff(MasterData, Base):
    """`rates` are RateRows, `surcharges` Surcharges, as JSON."""

    __tablename__ = "tariff"
    created, updated, deleted, restored = TariffCreated, TariffUpdated, TariffDeleted, TariffRestored
    fixed = ("currency",)
    listed_by = (("carrier_id", "id"), ("valid_from", "id"))

    code: Mapped[str]
    carrier_id: Mapped[UUID]
    service: Mapped[str]
    currency: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    """The last day; None until another one follows."""
    days: Mapped[int | None]
    """How long the carrier takes; None where it does not say."""
    divisor: Mapped[int | None]
    """Cubic millimetres that count as one gram, which is cubic centimetres for a kilogram; None where room does not count."""
    fuel_rate: Mapped[Decimal]
    rates: Mapped[list[dict[str, Any]]]
    surcharges: Mapped[list[dict[str, Any]]]
    active: Mapped[bool]

    async def ensure_references(self, tx: Tx) -> None:
        """Raises Invalid for a carrier that is not there, Implausible for days that nobody can mean."""
        await dates.check_validity(tx, "tariff", self.newly("valid_from"), self.newly("valid_until"))
        if not await Carrier.hold(tx, [self.carrier_id]):
            raise Invalid.field("/carrier_id", f"There is no carrier {self.carrier_id}.")
