"""A refund: which payments it is of, and how far it is. Above the company's limit it waits for an approval; it is paid then, or never.

Amounts are whole minor units. While it waits, nothing is taken from the payments: when it is approved, they say whether it still can be paid.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import rfc8785
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounting.models import Base
from accounting.refunds.refusals import RefundState
from contracts import refunds as events
from contracts.approvals import ApprovalSubject
from tailrace.core.transitions import Transitions
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Aggregate, Part
from tailrace.db.unique import unique_value

RefundStatus = Literal["in_approval", "paid", "rejected", "withdrawn", "returned"]
STATES = Transitions[RefundStatus](
    "Refund",
    {
        "in_approval": {"paid": "paid", "rejected": "rejected", "withdrawn": "withdrawn"},
        "paid": {"returned": "returned"},
        "rejected": {},
        "withdrawn": {},
        "returned": {},
    },
    RefundState,
)


class Refund(Aggregate, Base):
    __tablename__ = "refund"
    __table_args__ = (
        unique_value("number"),
        refers_to("bank_account", "bank_account_id"),
        tenant_index("customer_id", "id"),
        tenant_index("status", "id"),
        tenant_index("bank_account_id", "amount"),
    )

    number: Mapped[str]
    status: Mapped[RefundStatus]
    customer_id: Mapped[UUID | None]
    payee_name: Mapped[str | None]
    payee_iban: Mapped[str | None]
    bank_account_id: Mapped[UUID]
    account: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[int]
    reason: Mapped[str]
    requester_id: Mapped[UUID]
    value_day: Mapped[date | None]
    """The day from which the bank counts it; None as long as it is not paid and nobody has said."""
    sha256: Mapped[str]
    outcome: Mapped[str | None] = mapped_column()
    """Why it was not paid, or came back."""
    parts: Mapped[list["RefundPart"]] = relationship(
        back_populates="refund", cascade="all, delete-orphan", lazy="selectin", order_by="RefundPart.position"
    )

    @classmethod
    def of(cls, terms: dict[str, Any], parts: Sequence["RefundPart"]) -> "Refund":
        """A new one, which is neither paid nor submitted yet. `terms` are the columns that say how much of what, where and for whom."""
        refund = cls(status="in_approval", outcome=None, parts=list(parts), **terms)
        said = {
            name: str(terms[name])
            for name in ("number", "customer_id", "account", "currency", "amount", "reason", "value_day")
        }
        said |= {str(part.payment_id): str(part.amount) for part in parts}
        said |= {name: str(terms[name]) for name in ("payee_name", "payee_iban")}
        refund.sha256 = sha256(rfc8785.dumps(said)).hexdigest()
        return refund

    def awaits(self) -> str | None:
        """The hash of what it waits for an approval of; None while it waits for none."""
        return self.sha256 if self.status == "in_approval" else None

    def submit(self) -> None:
        """Let it wait for an approval of exactly this."""
        subject = ApprovalSubject(
            kind="refund",
            id=self.id,
            number=self.number,
            sha256=self.sha256,
            amount=self.amount,
            currency=self.currency,
            requester_id=self.requester_id,
            attributes={"account": self.account},
        )
        said: dict[str, Any] = {"customer_id": self.customer_id, "parts": self._parts({}), "reason": self.reason}
        self.record(events.RefundSubmitted(refund_id=self.id, number=self.number, subject=subject, **said))

    def pay(self, day: date, at: datetime, approval_id: UUID | None, whose: Mapping[UUID, UUID | None]) -> None:
        """The money goes out. `whose` says by payment whose it is. Raises RefundState."""
        self.status, self.value_day = self.after("paid"), day
        said: dict[str, Any] = {"bank_account_id": self.bank_account_id, "reason": self.reason}
        self.record(events.RefundPaid(**self._moved(day, at, whose), **said, approval_id=approval_id))

    def come_back(self, day: date, at: datetime, reason: str, whose: Mapping[UUID, UUID | None]) -> None:
        """The money came in again. `whose` says by payment whose it is. Raises RefundState."""
        self.status, self.outcome = self.after("returned"), reason
        self.record(events.RefundReturned(**self._moved(day, at, whose), reason=reason))

    def reject(self, reason: str) -> None:
        self.status, self.outcome = self.after("rejected"), reason
        self.record(events.RefundRejected(refund_id=self.id, number=self.number, reason=reason))

    def withdraw(self, reason: str) -> None:
        """Not want it any more. Raises RefundState."""
        self.status, self.outcome = self.after("withdrawn"), reason
        self.record(events.RefundWithdrawn(refund_id=self.id, number=self.number, reason=reason))

    def after(self, step: str) -> RefundStatus:
        """The status that a step leads to. Raises RefundState."""
        return STATES.after(self.status, step, self.number)

    def _parts(self, whose: Mapping[UUID, UUID | None]) -> list[events.RefundedPart]:
        return [
            events.RefundedPart(payment_id=part.payment_id, amount=part.amount, customer_id=whose.get(part.payment_id))
            for part in self.parts
        ]

    def _moved(self, day: date, at: datetime, whose: Mapping[UUID, UUID | None]) -> dict[str, Any]:
        said = {name: getattr(self, name) for name in ("number", "customer_id", "account", "currency", "amount")}
        return {"refund_id": self.id, **said, "day": day, "effective_at": at, "parts": self._parts(whose)}


class RefundPart(Part, Base):
    """What of one payment is paid back."""

    __tablename__ = "refund_part"
    __table_args__ = (
        refers_to("refund", "refund_id"),
        refers_to("payment", "payment_id"),
        tenant_index("refund_id"),
        tenant_index("payment_id"),
    )
    __root__ = "refund"

    refund_id: Mapped[UUID]
    position: Mapped[int]
    payment_id: Mapped[UUID]
    payment_number: Mapped[str]
    amount: Mapped[int] = mapped_column()
    refund: Mapped[Refund] = relationship(back_populates="parts")
