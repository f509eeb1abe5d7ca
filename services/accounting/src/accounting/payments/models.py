"""A payment, and what of it is for which invoice. What is allocated to none is the customer's credit, or nobody's while the payer is unknown.

Amounts are whole minor units. Every change is a method that refuses, or records an event.
"""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, exists, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounting.books import hold, role_map
from accounting.models import Account, Base
from accounting.payments.refusals import PaymentState, TooMuchAllocated
from accounting.refunds.models import Refund
from contracts import payments as events
from tailrace.core.errors import InUse, Invalid
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import Aggregate, Part
from tailrace.db.unique import unique_value


class BankAccount(MasterData, Base):
    """An account at a bank; `account` is what it is in the books. Currency and account stay what they are."""

    __tablename__ = "bank_account"
    created, updated = events.BankAccountCreated, events.BankAccountUpdated
    deleted, restored = events.BankAccountDeleted, events.BankAccountRestored
    fixed = ("currency", "account")

    code: Mapped[str]
    iban: Mapped[str | None]
    bic: Mapped[str | None]
    currency: Mapped[str]
    account: Mapped[str]

    async def ensure_references(self, tx: Tx) -> None:
        """Raises Invalid unless the books have such an account, of money."""
        # The books are held, so that the account neither goes nor gets a role between this look and the commit.
        await hold(tx)
        query = select(Account).where(Account.code == self.account, Account.active, Account.deleted_at.is_(None))
        found = (await tx.scalars(query)).one_or_none()
        if found is None or found.kind != "asset":
            raise Invalid.field("/account", f"There is no active account {self.account} that is an asset.")
        if (await role_map(tx)).roles(self.account):
            raise Invalid.field("/account", f"{self.account} is what postings of something else go to.")

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse when something was paid there, or from there, or a line of a statement is not said to be anything yet."""
        if await tx.scalar(select(exists().where(Payment.bank_account_id == self.id))):
            raise InUse(f"Payments came in on {self.code}.")
        if await tx.scalar(select(exists().where(Refund.bank_account_id == self.id))):
            raise InUse(f"Refunds are paid from {self.code}.")
        lines = Base.metadata.tables["bank_line"].c
        waiting = (lines.tenant_id == tx.tenant_id, lines.bank_account_id == self.id, lines.status == "open")
        if await tx.scalar(select(exists().where(*waiting))):
            raise InUse(f"Lines of statements of {self.code} are open: confirm or dismiss them.")


class Payment(Aggregate, Base):
    __tablename__ = "payment"
    __table_args__ = (
        unique_value("number"),
        refers_to("bank_account", "bank_account_id"),
        tenant_index("customer_id", "id"),
        tenant_index("value_day", "id"),
        tenant_index("bank_account_id", "amount"),
        CheckConstraint("allocated >= 0 AND refunded >= 0 AND allocated + refunded <= amount", name="allocated"),
    )

    number: Mapped[str]
    status: Mapped[Literal["received", "reversed"]]
    customer_id: Mapped[UUID | None]
    payer_name: Mapped[str | None]
    reference: Mapped[str | None]
    bank_account_id: Mapped[UUID]
    account: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[int]
    allocated: Mapped[int]
    refunded: Mapped[int] = mapped_column(server_default=text("0"))
    """What of it was paid back."""
    value_day: Mapped[date]
    allocations: Mapped[list["Allocation"]] = relationship(
        back_populates="payment", cascade="all, delete-orphan", lazy="selectin", order_by="Allocation.id"
    )

    @property
    def unallocated(self) -> int:
        """What is the customer's credit, or nobody's yet."""
        return self.amount - self.allocated - self.refunded if self.status == "received" else 0

    @classmethod
    def received(cls, terms: dict[str, Any], at: datetime) -> "Payment":
        """Money that came in. `terms` are the columns that say how much of what, where, when and from whom."""
        payment = cls(id=uuid7(), status="received", allocated=0, refunded=0, allocations=[], **terms)
        said = {name: terms[name] for name in events.PaymentReceived.model_fields if name in terms}
        payment.record(events.PaymentReceived(payment_id=payment.id, effective_at=at, **said))
        return payment

    def assign(self, customer_id: UUID, day: date, at: datetime) -> None:
        """Know whose it is. Raises PaymentState when that was known, or something of it is allocated or paid back."""
        self.ensure_whole()
        if self.customer_id is not None:
            raise PaymentState(f"Payment {self.number} is a customer's already; reverse it, and enter it again.")
        self.customer_id = customer_id
        said = {"customer_id": customer_id, "currency": self.currency, "amount": self.amount, "day": day}
        self.record(events.PaymentAssigned(payment_id=self.id, effective_at=at, **said))

    def allocate(self, allocation: "Allocation", owed_by: UUID | None, at: datetime, tax_due: int) -> None:
        """Let a part of it be for an invoice of `owed_by`, by which so much tax becomes due. Raises TooMuchAllocated, PaymentState."""
        self.ensure_received()
        if allocation.amount > self.unallocated:
            raise TooMuchAllocated(f"Of payment {self.number}, {self.unallocated} is left.")
        self.allocated += allocation.amount
        self.allocations.append(allocation)
        self.record(events.PaymentAllocated(**self._said(allocation, owed_by), tax_due=tax_due, effective_at=at))

    def unallocate(
        self, allocation: "Allocation", owed_by: UUID | None, day: date, at: datetime, reason: str, tax_due: int
    ) -> None:
        """Undo that; so much tax is not due any more."""
        self.allocated -= allocation.amount
        self.allocations.remove(allocation)
        said = {**self._said(allocation, owed_by), "day": day, "tax_due": tax_due}
        self.record(events.PaymentUnallocated(**said, effective_at=at, reason=reason))

    def reverse(self, day: date, at: datetime, reason: str) -> None:
        """Note that the money went back. Raises PaymentState while something of it is allocated, or was paid back."""
        self.ensure_whole()
        self.status = "reversed"
        said = {name: getattr(self, name) for name in ("customer_id", "account", "currency", "amount")}
        self.record(events.PaymentReversed(payment_id=self.id, day=day, reason=reason, effective_at=at, **said))

    def refund(self, refund_id: UUID, amount: int) -> None:
        """Pay so much of it back. Raises PaymentState, TooMuchAllocated."""
        self.ensure_received()
        if amount > self.unallocated:
            raise TooMuchAllocated(f"Of payment {self.number}, {self.unallocated} is left.")
        self.refunded += amount
        self.record(events.PaymentRefunded(payment_id=self.id, refund_id=refund_id, amount=amount))

    def take_back(self, refund_id: UUID, amount: int) -> None:
        """What was paid back came in again."""
        self.refunded -= amount
        self.record(events.PaymentRefundReturned(payment_id=self.id, refund_id=refund_id, amount=amount))

    def ensure_whole(self) -> None:
        """Raises PaymentState when the money went back, or something of it is allocated or was paid back."""
        self.ensure_received()
        if self.allocated:
            raise PaymentState(f"{self.allocated} of payment {self.number} is allocated: undo that first.")
        if self.refunded:
            raise PaymentState(f"{self.refunded} of payment {self.number} was paid back.")

    def ensure_received(self) -> None:
        """Raises PaymentState when the money went back."""
        if self.status != "received":
            raise PaymentState(f"Payment {self.number} was reversed.")

    def _said(self, allocation: "Allocation", owed_by: UUID | None) -> dict[str, Any]:
        names = ("invoice_id", "invoice_number", "amount", "invoice_currency", "settled", "worth", "company_currency")
        said = {name: getattr(allocation, name) for name in (*names, "realised", "day")}
        about = {"customer_id": self.customer_id, "invoice_customer_id": owed_by, "currency": self.currency}
        return {"payment_id": self.id, "allocation_id": allocation.id, **about, **said}


class Allocation(Part, Base):
    """`amount` of the payment's currency settles `settled` of the invoice's."""

    __tablename__ = "allocation"
    __table_args__ = (
        refers_to("payment", "payment_id"),
        refers_to("invoice", "invoice_id"),
        tenant_index("payment_id"),
        tenant_index("invoice_id", "id"),
    )
    __root__ = "payment"

    payment_id: Mapped[UUID]
    invoice_id: Mapped[UUID]
    invoice_number: Mapped[str]
    amount: Mapped[int]
    invoice_currency: Mapped[str]
    settled: Mapped[int]
    worth: Mapped[int]
    company_currency: Mapped[str | None]
    realised: Mapped[int] = mapped_column()
    day: Mapped[date]
    payment: Mapped[Payment] = relationship(back_populates="allocations")
