"""What workflow keeps of others: the company's days and templates, how far dates may lie, who there is, with which roles, and
who stands above whom."""

from typing import Any

from sqlalchemy.orm import Mapped

from contracts.catalog import TEMPLATE, TEMPLATE_CHOICE
from contracts.templates import TemplateSettings
from contracts.users import TEAM, USER, TenantCreated, TenantDatePolicyChanged, TenantTimeZoneChanged
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Replica, Source, replica
from tailrace.messaging.teams import Teams
from tailrace.messaging.templates import CompanySettings, TemplateChoiceRow, TemplateRow
from workflow.base import Base


class UserCopy(Replica, Base):
    __tablename__ = "user_copy"

    roles: Mapped[list[Any]]


class TemplateCopy(TemplateRow, Base):
    """A template of the catalog."""

    __tablename__ = "template_copy"


class TemplateChoiceCopy(TemplateChoiceRow, Base):
    """Which template is the company's."""

    __tablename__ = "template_choice_copy"


days = Days("workflow.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("workflow.dates", Base.metadata, TenantDatePolicyChanged, days)
users = replica("workflow.users", Source(UserCopy, *USER))
teams = Teams("workflow.teams", Base.metadata, TEAM)
templates = replica(
    "workflow.templates",
    Source(TemplateCopy, *TEMPLATE),
    Source(TemplateChoiceCopy, *TEMPLATE_CHOICE),
)

settings = CompanySettings(TemplateCopy, TemplateChoiceCopy, TemplateSettings)
