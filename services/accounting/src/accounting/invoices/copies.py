"""What invoices keep of others: who buys, what was ordered, what of it has left, who sells, and what the company's template says."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from accounting.models import Base
from contracts.templates import TemplateSettings
from tailrace.db.keys import tenant_index
from tailrace.messaging.replica import Coded, Replica
from tailrace.messaging.templates import CompanySettings, TemplateChoiceRow, TemplateRow
from tailrace.pricing.copies import TaxCode, TaxPolicy


class CustomerCopy(Coded, Base):
    """A customer, as a document of it says."""

    __tablename__ = "customer_copy"
    code_field = "number"

    number: Mapped[str]
    name: Mapped[str]
    language: Mapped[str | None]
    currency: Mapped[str]
    payment_terms_days: Mapped[int]
    tax_ids: Mapped[list[dict[str, Any]]]
    addresses: Mapped[list[dict[str, Any]]]
    emails: Mapped[list[dict[str, Any]]]


class MergeCopy(Replica, Base):
    """That a customer stands for another; inactive once that was undone."""

    __tablename__ = "merge_copy"

    into_customer_id: Mapped[UUID]


class OrderCopy(Replica, Base):
    """An order that binds, with its lines as the event has them."""

    __tablename__ = "order_copy"

    number: Mapped[str]
    customer_reference: Mapped[str]
    customer_name: Mapped[str]
    customer_id: Mapped[UUID | None]
    currency: Mapped[str]
    net: Mapped[int]
    tax: Mapped[int]
    payment_terms_days: Mapped[int | None]
    """How many days after an invoice it is due; None for what was agreed with the customer."""
    lines: Mapped[list[dict[str, Any]]]

    def days_to_pay(self, agreed: int) -> int:
        """After how many days an invoice of it is due, where so many were agreed with the customer."""
        return agreed if self.payment_terms_days is None else self.payment_terms_days


class OrderRestCopy(Replica, Base):
    """What of an order was given up, by line; inactive once the order was taken back to be changed."""

    __tablename__ = "order_rest_copy"

    lines: Mapped[list[dict[str, Any]]]


class DeliveryCopy(Replica, Base):
    """A shipment that has left, or services that were performed, with its lines as shipments have them."""

    __tablename__ = "delivery_copy"
    __table_args__ = (tenant_index("order_id"), tenant_index("dispatched_at", "id"))

    order_id: Mapped[UUID]
    number: Mapped[str]
    currency: Mapped[str]
    lines: Mapped[list[dict[str, Any]]]
    dispatched_at: Mapped[datetime]
    performed: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether it is of services."""


KEEP_DELIVERY = insert(cast(Table, DeliveryCopy.__table__)).on_conflict_do_nothing()


class SellerCopy(Replica, Base):
    """The company itself."""

    __tablename__ = "seller_copy"

    name: Mapped[str]


class CompanyCopy(Replica, Base):
    """What the company was founded with."""

    __tablename__ = "company_copy"

    currency: Mapped[str]
    country: Mapped[str | None]


class TaxCodeCopy(TaxCode, Coded, Base):
    """A tax code: its rates, and how it rounds, in place of the company."""

    __tablename__ = "tax_code_copy"


class TaxPolicyCopy(TaxPolicy, Base):
    """How the company rounds tax."""

    __tablename__ = "tax_policy_copy"


class UnitCopy(Replica, Base):
    """A unit of measure. Of those that share a code at most one is active."""

    __tablename__ = "unit_copy"
    __table_args__ = (tenant_index("code"),)

    code: Mapped[str]
    decimals: Mapped[int]


class TemplateCopy(TemplateRow, Base):
    """A template of the catalog."""

    __tablename__ = "template_copy"


class TemplateChoiceCopy(TemplateChoiceRow, Base):
    """Which template is the company's."""

    __tablename__ = "template_choice_copy"


settings = CompanySettings(TemplateCopy, TemplateChoiceCopy, TemplateSettings)
