"""What shipping keeps of others: what quality says of a lot, which lots are pieces, the company's template, and the company's days."""

from sqlalchemy.orm import Mapped

from contracts import catalog as events
from contracts.inventory import LOT_COPIED, LotCreated
from contracts.templates import TemplateSettings
from contracts.users import TenantCreated, TenantTimeZoneChanged
from shipping.base import Base
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Replica, Source, replica
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


class TemplateCopy(TemplateRow, Base):
    """A template of the catalog."""

    __tablename__ = "template_copy"


class TemplateChoiceCopy(TemplateChoiceRow, Base):
    """Which template is the company's."""

    __tablename__ = "template_choice_copy"


days = Days("shipping.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
lots = replica("shipping.lots", Source(LotCopy, *LOT_COPIED))
serials = replica("shipping.serials", Source(SerialCopy, LOT_COPIED.key, (LotCreated,)))
settings = CompanySettings(TemplateCopy, TemplateChoiceCopy, TemplateSettings)
templates = replica(
    "shipping.templates",
    Source(TemplateCopy, *events.TEMPLATE),
    Source(TemplateChoiceCopy, *events.TEMPLATE_CHOICE),
)
