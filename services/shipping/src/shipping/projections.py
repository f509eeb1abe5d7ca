"""What shipping keeps of others: what quality says of a lot, which lots are pieces, what items are counted in, the company's
template, and its days."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from contracts import catalog as events
from contracts.inventory import LOT_COPIED, LotCreated
from contracts.templates import TemplateSettings
from contracts.users import TenantCreated, TenantTimeZoneChanged
from shipping.base import Base
from tailrace.core.values.units import Packaging, Unit
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Coded, Replica, Source, replica
from tailrace.messaging.templates import CompanySettings, TemplateChoiceRow, TemplateRow


class LotCopy(Replica, Base):
    """A lot, and what quality says of it."""

    __tablename__ = "lot_copy"

    number: Mapped[str]
    status: Mapped[str]


class SerialCopy(Replica, Base):
    """Whether a lot is one piece: beside its copy, since only the event that a lot came in by says so."""

    __tablename__ = "serial_copy"

    serial: Mapped[bool]
    """Whether it has a number of its own."""


class ItemCopy(Coded, Base):
    """What an item is counted in."""

    __tablename__ = "item_copy"
    code_field = "sku"

    sku: Mapped[str]
    unit: Mapped[str]
    conversions: Mapped[list[dict[str, Any]]]
    """`{"unit", "factor"}`: how many base units one of `unit` is."""

    @property
    def packaging(self) -> Packaging:
        return Packaging.of(self.unit, self.conversions)


class UnitCopy(Replica, Base):
    """A unit of measure; `factor` leads to the reference unit of its dimension. Of those that share a code at most one is active."""

    __tablename__ = "unit_copy"
    __table_args__ = (Index(None, "tenant_id", "code"),)

    code: Mapped[str]
    dimension: Mapped[str]
    factor: Mapped[Decimal]
    decimals: Mapped[int]

    @property
    def measure(self) -> Unit:
        return Unit(self.code, self.dimension, self.factor, self.decimals)


class TemplateCopy(TemplateRow, Base):
    """A template of the catalog."""

    __tablename__ = "template_copy"


class TemplateChoiceCopy(TemplateChoiceRow, Base):
    """Which template is the company's."""

    __tablename__ = "template_choice_copy"


days = Days("shipping.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
lots = replica("shipping.lots", Source(LotCopy, *LOT_COPIED))
serials = replica("shipping.serials", Source(SerialCopy, LOT_COPIED.key, (LotCreated,)))
goods = replica("shipping.goods", Source(ItemCopy, *events.ITEM), Source(UnitCopy, *events.UNIT))
settings = CompanySettings(TemplateCopy, TemplateChoiceCopy, TemplateSettings)
templates = replica(
    "shipping.templates",
    Source(TemplateCopy, *events.TEMPLATE),
    Source(TemplateChoiceCopy, *events.TEMPLATE_CHOICE),
)
