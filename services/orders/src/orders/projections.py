"""What orders keep of the catalog, enough to check, convert, price and tax a line without asking anybody, of customers, and of the company's days."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from contracts import catalog as events
from contracts import customers as sales
from contracts.templates import TemplateSettings
from contracts.users import TEAM, USER, TenantCreated, TenantDatePolicyChanged, TenantTimeZoneChanged
from orders.base import Base
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.handover import LeaverRow
from tailrace.messaging.replica import Coded, Parts, Replica, Source, replica
from tailrace.messaging.teams import Teams
from tailrace.messaging.templates import CompanySettings, TemplateChoiceRow, TemplateRow
from tailrace.pricing.book import PriceBook
from tailrace.pricing.copies import ListPrice, PricedItem, PricedUnit, PriceList, TaxCode, TaxPolicy


class ItemCopy(PricedItem, Coded, Base):
    __tablename__ = "item_copy"
    code_field = "sku"


class UnitCopy(PricedUnit, Base):
    __tablename__ = "unit_copy"


class WarehouseCopy(Coded, Base):
    __tablename__ = "warehouse_copy"

    code: Mapped[str]


class PriceListCopy(PriceList, Coded, Base):
    __tablename__ = "price_list_copy"


class PriceCopy(ListPrice, Base):
    __tablename__ = "price_copy"


class TaxCodeCopy(TaxCode, Coded, Base):
    __tablename__ = "tax_code_copy"


class TaxPolicyCopy(TaxPolicy, Base):
    __tablename__ = "tax_policy_copy"


class CustomerCopy(Coded, Base):
    """A customer, whom an order is taken for."""

    __tablename__ = "customer_copy"
    code_field = "number"

    number: Mapped[str]
    name: Mapped[str]
    currency: Mapped[str | None]
    """What was agreed with it; None in a copy of before this was kept."""
    price_list_id: Mapped[UUID | None]
    """The list that its prices are from, in that currency."""
    addresses: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    sales_rep_id: Mapped[UUID | None]
    """Who looks after it, and sells to it unless another user does."""


class UserCopy(Replica, Base):
    """A user, who may sell."""

    __tablename__ = "user_copy"

    name: Mapped[str]


class Leaver(LeaverRow, Base):
    """A user who is gone, and who takes over."""

    __tablename__ = "leaver"


class TemplateCopy(TemplateRow, Base):
    """A template of the catalog."""

    __tablename__ = "template_copy"


class TemplateChoiceCopy(TemplateChoiceRow, Base):
    """Which template is the company's."""

    __tablename__ = "template_choice_copy"


class MergeCopy(Replica, Base):
    """That a customer stands for another; inactive once that was undone."""

    __tablename__ = "merge_copy"

    into_customer_id: Mapped[UUID]


days = Days("orders.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("orders.dates", Base.metadata, TenantDatePolicyChanged, days)
catalog = replica(
    "orders.catalog",
    Source(ItemCopy, *events.ITEM),
    Source(UnitCopy, *events.UNIT),
    Source(WarehouseCopy, *events.WAREHOUSE),
    Source(PriceListCopy, *events.PRICE_LIST, Parts(PriceCopy, "prices", "price_list_id")),
    Source(TaxCodeCopy, *events.TAX_CODE),
    Source(TaxPolicyCopy, *events.TAX_POLICY),
)
customers = replica(
    "orders.customers",
    Source(CustomerCopy, *sales.CUSTOMER),
    Source(MergeCopy, *sales.MERGE),
)
users = replica("orders.users", Source(UserCopy, *USER))
teams = Teams("orders.teams", Base.metadata, TEAM)
templates = replica(
    "orders.templates",
    Source(TemplateCopy, *events.TEMPLATE),
    Source(TemplateChoiceCopy, *events.TEMPLATE_CHOICE),
)

settings = CompanySettings(TemplateCopy, TemplateChoiceCopy, TemplateSettings)
book = PriceBook(
    document="order",
    items=ItemCopy,
    units=UnitCopy,
    lists=PriceListCopy,
    prices=PriceCopy,
    tax_codes=TaxCodeCopy,
    tax_policy=TaxPolicyCopy,
)
