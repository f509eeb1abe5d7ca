"""What shipping keeps of others: what quality says of a lot, the company's template, and the company's days."""

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from contracts import catalog as events
from contracts.inventory import LOT_COPIED
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
    serial: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether it is one piece under a number of its own."""


class TemplateCopy(TemplateRow, Base):
    """A template of the catalog."""

    __tablename__ = "template_copy"


class TemplateChoiceCopy(TemplateChoiceRow, Base):
    """Which template is the company's."""

    __tablename__ = "template_choice_copy"


days = Days("shipping.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
lots = replica("shipping.lots", Source(LotCopy, *LOT_COPIED))
settings = CompanySettings(TemplateCopy, TemplateChoiceCopy, TemplateSettings)
templates = replica(
    "shipping.templates",
    Source(TemplateCopy, *events.TEMPLATE),
    Source(TemplateChoiceCopy, *events.TEMPLATE_CHOICE),
)
