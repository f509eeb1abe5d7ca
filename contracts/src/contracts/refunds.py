"""Events of what is paid back to customers, on `accounting.events`: money that came in and is for no invoice goes out again.

Amounts are whole minor units of the currency beside them, days are the company's. `effective_at` is when it holds in the books.
"""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.accounting import AccountingEvent
from contracts.approvals import Submission, Withdrawal
from tailrace.core.values.money import Currency, Minor


class RefundedPart(BaseModel):
    """What of one payment is paid back, in its currency."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    payment_id: UUID
    """The payment that it is of."""
    amount: Minor
    customer_id: UUID | None = None
    """Whose payment it is, perhaps one who was merged into the customer; null where nobody is known, and while nothing is paid."""


class RefundEvent(AccountingEvent):
    refund_id: UUID
    number: str


class RefundSubmitted(Submission, RefundEvent):
    """A refund is above the limit of the company: it is paid when `subject` is approved."""

    type: ClassVar[str] = "accounting.refund.submitted"

    customer_id: UUID | None = None
    parts: list[RefundedPart]
    reason: str


class RefundWithdrawn(Withdrawal, RefundEvent):
    """The one who asked for a refund does not want it paid any more."""

    type: ClassVar[str] = "accounting.refund.withdrawn"
    withdraws: ClassVar[tuple[str, str]] = ("refund", "refund_id")

    reason: str | None = None


class RefundRejected(RefundEvent):
    """A refund that waited for approval is not paid: it was rejected, recalled, or the money is not there any more."""

    type: ClassVar[str] = "accounting.refund.rejected"

    reason: str


class RefundMoved(RefundEvent):
    """`amount` moved on an account of the chart, for a customer; without one, nobody knows whose the money was.

    Each part is of the credit of whose payment it is, who may be another customer again some day.
    """

    customer_id: UUID | None = None
    account: str
    currency: Currency
    amount: Minor
    reason: str
    day: date
    parts: list[RefundedPart] = []
    effective_at: datetime

    @property
    def credits(self) -> dict[UUID, int]:
        """By customer, how much of it is of their credit; nobody's, while nobody knows whose the money was."""
        if self.customer_id is None:
            return {}
        # What was recorded before parts had customers is the refund's own.
        sums = {} if self.parts else {self.customer_id: self.amount}
        for part in self.parts:
            whose = part.customer_id or self.customer_id
            sums[whose] = sums.get(whose, 0) + part.amount
        return sums


class RefundPaid(RefundMoved):
    """Money was paid back: so much of these payments, which was for no invoice."""

    type: ClassVar[str] = "accounting.refund.paid"

    bank_account_id: UUID
    parts: list[RefundedPart]
    approval_id: UUID | None = None


class RefundReturned(RefundMoved):
    """What was paid back came in again: it is for no invoice, as before."""

    type: ClassVar[str] = "accounting.refund.returned"


PUBLISHED: tuple[type[AccountingEvent], ...] = (
    RefundSubmitted,
    RefundWithdrawn,
    RefundRejected,
    RefundPaid,
    RefundReturned,
)
