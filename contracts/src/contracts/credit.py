"""Events of orders that are held for credit, on `order.events`: why, what became of asking for a release, and when the company holds orders."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from contracts.approvals import Submission, Withdrawal
from contracts.orders import OrderEvent
from tailrace.core.events import Event
from tailrace.core.values.money import Currency, Minor, MinorTotal

CreditReason = Literal["limit_exceeded", "rate_missing", "invoice_overdue", "customer_inactive"]
"""Why an order is held: it would make the customer owe more than they may; what they owe cannot be told in the limit's currency; an invoice has been
overdue for longer than the company bears; nothing is sold to the customer at present."""
ReleasedBy = Literal["approval", "person", "exposure"]
"""What let an order go on: the answer to its submission, a person where nobody has to be asked, or that the reasons are gone."""
CreditAnswer = Literal["nobody_asked", "rejected", "recalled", "voided"]


class OrderCreditHeld(Submission, OrderEvent):
    """The order was to be confirmed, and waits: it does not bind yet, and nothing is asked of others. `subject` asks for its release.

    Amounts are in minor units of `limit_currency`, which is null where the customer has no limit. `exposure` is what the customer owes and has
    ordered without this order, `worth` what the order adds; each is null where a rate is missing.
    """

    type: ClassVar[str] = "order.credit_held"

    number: str
    customer_id: UUID
    reasons: list[CreditReason]
    credit_limit: Minor | None = None
    limit_currency: Currency | None = None
    exposure: MinorTotal | None = None
    worth: MinorTotal | None = None
    overdue_invoices: int = 0
    overdue_since: date | None = None
    """The day by which the oldest of them was to be paid."""


class OrderCreditDecided(OrderEvent):
    """The submission of a held order has an answer that leaves it held.

    `nobody_asked`: the company asks nobody, so that a person may release it.
    """

    type: ClassVar[str] = "order.credit_decided"

    approval_id: UUID
    answer: CreditAnswer
    reason: str | None = None


class OrderCreditWithdrawn(Withdrawal, OrderEvent):
    """The release of a held order is asked for no more: it was changed, cancelled, looked at again, or goes on without it."""

    type: ClassVar[str] = "order.credit_withdrawn"
    withdraws: ClassVar[tuple[str, str]] = ("credit_release", "order_id")

    reason: str


class OrderCreditReleased(OrderEvent):
    """The order is held no more. `order.confirmed` follows: from there on it is as any other."""

    type: ClassVar[str] = "order.credit_released"

    by: ReleasedBy
    approval_id: UUID | None = None
    reason: str | None = None


class CreditPolicyUpdated(Event):
    """When the company holds orders for credit; carries the whole of it."""

    topic: ClassVar[str] = "order.events"
    publisher: ClassVar[str] = "orders"
    type: ClassVar[str] = "order.credit_policy.updated"

    credit_policy_id: UUID
    overdue_days: int | None
    """For how many days an invoice may be overdue before the customer's orders are held; null for as long as it takes."""


PUBLISHED: tuple[type[Event], ...] = (
    OrderCreditHeld,
    OrderCreditDecided,
    OrderCreditWithdrawn,
    OrderCreditReleased,
    CreditPolicyUpdated,
)
