"""What clients say of refunds. Amounts are minor units of the bank account's currency."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from accounting.payments.bodies import Received
from tailrace.core.personal_data import Personal
from tailrace.core.values.fields import Day, Name, Sentence
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

MOST_PAYMENTS = 100


class RefundedPaymentBody(Body):
    """What of a payment is paid back."""

    payment_id: UUID
    """The payment, in the currency of the bank account."""
    amount: Received | None = Field(None, description="How much of it; all that is for no invoice when left out.")


class NewRefund(Body):
    """What is paid back: a customer's credit, the oldest payment first, or parts of payments that are named."""

    bank_account_id: UUID
    """Where it is paid from."""
    customer_id: UUID | None = Field(None, description="Whose credit it is; nothing when `payments` says so.")
    amount: Received | None = Field(
        None, description="How much of the customer's credit in that currency; all of it when left out."
    )
    payments: Annotated[list[RefundedPaymentBody], Field(max_length=MOST_PAYMENTS)] = []
    """Payments of one customer, or of nobody known, each once; instead of `customer_id`."""
    reason: Sentence
    """Why, for people who read it later."""
    payee_name: Personal[Name] | None = Field(None, description="To whom the bank pays it.")
    payee_iban: Personal[Annotated[str, Field(pattern="^[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}$")]] | None = Field(
        None, description="The number of their account (ISO 13616), without blanks."
    )
    value_day: Day | None = Field(
        None, description="The day from which the bank counts it; today, or that of its approval, when left out."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.customer_id is None) == (not self.payments):
            raise WrongFields("Say customer_id or payments, one of them.", "customer_id", "payments")
        if self.payments and self.amount is not None:
            raise WrongFields("Say the amount of each payment.", "amount")
        return self


class RefundReturnBody(Body):
    """A refund that came in again."""

    reason: Sentence
    """Why, for people who read it later."""
    day: Day | None = Field(None, description="The day from which the bank counts it; today when left out.")
