"""What clients say of statements of a bank."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from accounting.payments.bodies import MOST_ALLOCATIONS, AllocationBody
from accounting.refunds.bodies import MOST_PAYMENTS, RefundedPaymentBody
from tailrace.core.values.fields import FileText, Sentence
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

_EXAMPLE = "value_day,amount,payer_name,reference\n2026-01-31,110.00,Ada Works,INV-2026-00001\n"


class NewBankStatement(Body):
    """A file of the bank, as text."""

    bank_account_id: UUID
    """The account that the bank made it for."""
    format: Literal["camt.053", "csv"]
    """What it is: camt.053 of ISO 20022, or CSV with the columns `value_day` and `amount` and, if need be, `booked_on`, `payer_name`, …"""
    content: Annotated[FileText, Field(min_length=1, max_length=1_900_000, examples=[_EXAMPLE])]
    """All of it."""
    confirm_certain: bool = False
    """Whether a line that names invoices which come to its amount exactly is taken as their payment at once."""


class LineRefundBody(Body):
    """A refund that a line is: of the customer's credit, or of payments. Its amount and its day are the line's."""

    customer_id: UUID | None = Field(None, description="Whose credit it is; nothing when `payments` says so.")
    payments: Annotated[list[RefundedPaymentBody], Field(max_length=MOST_PAYMENTS)] = []
    """Payments of one customer, or of nobody known; instead of `customer_id`."""
    reason: Sentence
    """Why, for people who read it later."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.customer_id is None) == (not self.payments):
            raise WrongFields("Say customer_id or payments, one of them.", "customer_id", "payments")
        return self


class BankLineConfirmation(Body):
    """What a line is: a payment, and of what; or one of `refund_id`, `returned_refund_id`, `returned_payment_id` and `refund`."""

    refund_id: UUID | None = Field(None, description="Money went out: the refund that it is.")
    returned_refund_id: UUID | None = Field(None, description="Money came in: the refund that came in again.")
    returned_payment_id: UUID | None = Field(None, description="Money went out: the payment that the bank took back.")
    refund: LineRefundBody | None = Field(None, description="Money went out: a refund that nobody has entered yet.")

    customer_id: UUID | None = Field(None, description="Whose it is; that of the invoices when left out.")
    allocations: Annotated[list[AllocationBody], Field(max_length=MOST_ALLOCATIONS)] = []
    """Which invoices it is for; the rest is the customer's credit."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        names = ("refund_id", "returned_refund_id", "returned_payment_id", "refund")
        said = [name for name in names if getattr(self, name) is not None]
        of_customer = [name for name in ("customer_id", "allocations") if getattr(self, name)]
        if len(said) > 1 or (said and of_customer):
            raise WrongFields("A line is one thing: say which.", *said, *of_customer)
        return self
