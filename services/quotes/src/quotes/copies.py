"""What quotes keep of others: who buys, who quotes, what can be sold and at what price, what it cost, and who offers."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.templates import TemplateSettings
from quotes.base import Base
from tailrace.db.models import TenantRow
from tailrace.messaging.handover import LeaverRow
from tailrace.messaging.replica import Replica
from tailrace.messaging.templates import CompanySettings, TemplateChoiceRow, TemplateRow
from tailrace.pricing.book import PriceBook
from tailrace.pricing.copies import ListPrice, PricedItem, PricedUnit, PriceList, TaxCode, TaxPolicy


class ItemCopy(PricedItem, Base):
    __tablename__ = "item_copy"


class UnitCopy(PricedUnit, Base):
    __tablename__ = "unit_copy"


class WarehouseCopy(Replica, Base):
    __tablename__ = "warehouse_copy"


class PriceListCopy(PriceList, Base):
    __tablename__ = "price_list_copy"


class PriceCopy(ListPrice, Base):
    __tablename__ = "price_copy"


class TaxCodeCopy(TaxCode, Base):
    __tablename__ = "tax_code_copy"


class TaxPolicyCopy(TaxPolicy, Base):
    __tablename__ = "tax_policy_copy"


class CustomerCopy(Replica, Base):
    """A customer, as a document of it says."""

    __tablename__ = "customer_copy"

    number: Mapped[str]
    name: Mapped[str]
    language: Mapped[str | None]
    currency: Mapped[str]
    payment_terms_days: Mapped[int]
    price_list_id: Mapped[UUID | None]
    tax_ids: Mapped[list[dict[str, Any]]]
    addresses: Mapped[list[dict[str, Any]]]
    people: Mapped[list[dict[str, Any]]]
    emails: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    sales_rep_id: Mapped[UUID | None]
    """Who looks after it, and sells to it unless another user does."""


class MergeCopy(Replica, Base):
    """That a customer stands for another; inactive once that was undone."""

    __tablename__ = "merge_copy"

    into_customer_id: Mapped[UUID]


class OpportunityCopy(Replica, Base):
    """An opportunity, which a quote may be made for."""

    __tablename__ = "opportunity_copy"

    customer_id: Mapped[UUID]
    status: Mapped[str]
    """Whether it is `open`, `won` or `lost`."""


class RoleCopy(Replica, Base):
    """A role, which a limit may be of, and what it allows; nothing, once it is gone."""

    __tablename__ = "role_copy"

    name: Mapped[str]
    scopes: Mapped[list[Any]]


class UserCopy(Replica, Base):
    """A user, who may sell."""

    __tablename__ = "user_copy"

    name: Mapped[str]
    email: Mapped[str | None]
    """None in a copy of before this was kept."""


class Leaver(LeaverRow, Base):
    """A user who is gone, and who takes over."""

    __tablename__ = "leaver"


class SellerCopy(Replica, Base):
    """The company itself: who offers."""

    __tablename__ = "seller_copy"

    name: Mapped[str]


class TemplateCopy(TemplateRow, Base):
    """A template of the catalog."""

    __tablename__ = "template_copy"


class TemplateChoiceCopy(TemplateChoiceRow, Base):
    """Which template is the company's."""

    __tablename__ = "template_choice_copy"


class ItemCost(TenantRow, Base):
    """What one base unit of an item cost when it last came in, in minor units of a currency; None for more than a price may be."""

    __tablename__ = "item_cost"

    item_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    currency: Mapped[str] = mapped_column(primary_key=True, sort_order=-9)
    unit_cost: Mapped[Decimal | None]
    effective_at: Mapped[datetime]


settings = CompanySettings(TemplateCopy, TemplateChoiceCopy, TemplateSettings)
book = PriceBook(
    document="quote",
    items=ItemCopy,
    units=UnitCopy,
    lists=PriceListCopy,
    prices=PriceCopy,
    tax_codes=TaxCodeCopy,
    tax_policy=TaxPolicyCopy,
)
