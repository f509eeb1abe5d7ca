"""When customers are reminded, as data, and each reminder that went out."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from accounting.models import Base
from contracts.invoices import DunningNoticeIssued, DunningPolicyUpdated
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.unique import unique_value


class DunningPolicy(Aggregate, Base):
    """One row of a tenant, once somebody has said something. `levels` are DunningLevels, from the first on."""

    __tablename__ = "dunning_policy"

    automatic: Mapped[bool]
    levels: Mapped[list[dict[str, Any]]]

    def decide(self, automatic: bool, levels: list[dict[str, Any]]) -> None:
        self.automatic, self.levels = automatic, levels
        self.record(DunningPolicyUpdated(dunning_policy_id=self.id, days=[int(each["days"]) for each in levels]))


class DunningNotice(Aggregate, Base):
    """A reminder: written once, never changed. `items` say what was open of which invoice, and the level that it reached."""

    __tablename__ = "dunning_notice"
    __table_args__ = (unique_value("number"), tenant_index("customer_id", "id"), tenant_index("dated", "id"))

    number: Mapped[str]
    customer_id: Mapped[UUID | None]
    customer: Mapped[dict[str, Any]]
    seller: Mapped[dict[str, Any]]
    dated: Mapped[date]
    level: Mapped[int]
    """The highest that an invoice of it reached."""
    currency: Mapped[str]
    items: Mapped[list[dict[str, Any]]]
    open: Mapped[int]
    fee: Mapped[int]
    fee_invoice_id: Mapped[UUID | None] = mapped_column()
    """The invoice that asks for the fee; None without one."""
    text: Mapped[str | None]

    @property
    def customer_name(self) -> str:
        return str(self.customer["name"])

    @property
    def total(self) -> int:
        return self.open + self.fee

    def issue(self) -> None:
        names = ("number", "customer_id", "dated", "level", "currency", "open", "fee")
        said = {name: getattr(self, name) for name in names}
        invoices = [UUID(each["invoice_id"]) for each in self.items]
        self.record(DunningNoticeIssued(dunning_notice_id=self.id, invoices=invoices, **said))
