"""What is shown of refunds. Amounts are whole minor units of their currency."""

from datetime import date
from uuid import UUID

from accounting.refunds.models import RefundStatus
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor
from tailrace.http.routing import ResourceView, View


class RefundSummary(ResourceView):
    """A refund as lists show it."""

    number: str
    """What people call it."""
    status: RefundStatus
    """Whether it waits for an approval, was paid, or came in again."""
    customer_id: UUID | None
    """Whose money it is; null where nobody knows."""
    payee_name: Personal[str | None]
    """To whom the bank pays it."""
    payee_iban: Personal[str | None]
    """The number of their account."""
    bank_account_id: UUID
    """Where it is paid from."""
    currency: Currency
    """What it is in, an ISO 4217 code."""
    amount: Minor
    """How much is paid back."""
    reason: str
    """Why."""
    requester_id: UUID
    """The user who asked for it."""
    value_day: date | None
    """The day from which the bank counts it; null as long as it is not paid and nobody has said."""
    outcome: str | None
    """Why it was not paid, or came in again."""


class RefundPartView(View):
    payment_id: UUID
    """Whose unused rest is paid back."""
    payment_number: str
    """What that is called."""
    amount: Minor
    """How much of it."""


class RefundView(RefundSummary):
    """A refund, and the payments that it is of."""

    sha256: str
    """What an approval is bound to."""
    parts: list[RefundPartView]
    """How much of which payment."""
