"""What an order knows of the hold that credit put on it, and how that ends. Until then it does not bind, and nobody is asked for anything."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import UUID

import rfc8785
from pydantic import BaseModel, ConfigDict
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from contracts import credit as events
from contracts.approvals import ApprovalSubject
from contracts.credit import CreditAnswer, CreditReason, ReleasedBy
from tailrace.core import clock
from tailrace.core.values.money import plain_decimal

if TYPE_CHECKING:
    from orders.models import Order

KIND = "credit_release"
"""What a held order is submitted as."""
HoldState = Literal["pending", "nobody_asked", "rejected", "recalled", "voided"]


class Figures(BaseModel):
    """How the customer stood when the order was looked at. Amounts are in minor units of `limit_currency`, as in `order.credit_held`."""

    model_config = ConfigDict(frozen=True)

    credit_limit: int | None = None
    limit_currency: str | None = None
    exposure: int | None = None
    worth: int | None = None
    overdue_invoices: int = 0
    overdue_since: date | None = None


class Hold(Figures):
    """Why the order is held, and what became of asking for its release."""

    reasons: Sequence[CreditReason]
    held_at: datetime
    sha256: str
    """Of what was submitted: an answer to anything else is none."""
    state: HoldState = "pending"
    answer: str | None = None
    """What was said with that; None for nothing."""


class CreditHeld:
    """The part of an order that is about credit."""

    credit_hold: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """A `Hold`; None for an order that is not held for credit."""

    @property
    def held_for_credit(self) -> Hold | None:
        return None if self.credit_hold is None else Hold.model_validate(self.credit_hold)

    def awaits_release(self) -> str | None:
        """The hash of what an approval was asked for; None while none is awaited."""
        hold = self.held_for_credit
        return hold.sha256 if hold is not None and hold.state == "pending" else None

    def hold_credit(self, reasons: Sequence[CreditReason], figures: Figures, requester_id: UUID | None) -> None:
        """Wait for a release, which is asked for by this. Of an order that waits already, what was asked for counts no more."""
        order = _order(self)
        status = order.after("held for credit")
        self.end_credit_hold("It was looked at again.")
        order.status = status
        document = _document(order, reasons, figures)
        hash = sha256(rfc8785.dumps(document)).hexdigest()
        hold = Hold(reasons=list(reasons), held_at=clock.now(), sha256=hash, **figures.model_dump())
        self.credit_hold = hold.model_dump(mode="json")
        assert order.customer_id is not None, "nobody who is not kept has credit"
        order.record(
            events.OrderCreditHeld(
                order_id=order.id,
                number=order.number,
                customer_id=order.customer_id,
                reasons=list(reasons),
                subject=_subject(order, hold, requester_id),
                **figures.model_dump(),
            )
        )

    def answer_credit(self, approval_id: UUID, answer: CreditAnswer, reason: str | None) -> None:
        """Note an answer that leaves it held."""
        self._keep(state=answer, answer=reason)
        said = {"approval_id": approval_id, "answer": answer, "reason": reason}
        _order(self).record(events.OrderCreditDecided(order_id=_order(self).id, **said))

    def release_credit(self, by: ReleasedBy, reason: str | None = None, approval_id: UUID | None = None) -> None:
        """Let it go on, and be confirmed at the prices that it had when it was held."""
        order = _order(self)
        order.after("released")
        if by != "approval":
            self.end_credit_hold("It goes on without an approval.")
        self.credit_hold = None
        order.record(events.OrderCreditReleased(order_id=order.id, by=by, reason=reason, approval_id=approval_id))
        order.confirm()

    def pass_credit(self) -> None:
        """Be confirmed, as nothing is in the way; of an order that waited, that is a release."""
        if self.credit_hold is None:
            _order(self).confirm()
        else:
            self.release_credit("exposure")

    def end_credit_hold(self, reason: str) -> None:
        """Ask for its release no more. Records nothing for an order that asks for none."""
        hold, self.credit_hold = self.held_for_credit, None
        if hold is not None and hold.state == "pending":
            order = _order(self)
            order.record(events.OrderCreditWithdrawn(order_id=order.id, reason=reason))

    def _keep(self, **changed: Any) -> None:
        hold = self.held_for_credit
        assert hold is not None
        self.credit_hold = hold.model_copy(update=changed).model_dump(mode="json")


def _order(held: CreditHeld) -> "Order":
    return cast("Order", held)


def _document(order: "Order", reasons: Sequence[CreditReason], figures: Figures) -> Mapping[str, Any]:
    """What is shown to those who decide. The version makes each submission one of its own."""
    lines = [
        {"id": str(line.id), "item_id": str(line.item_id), "quantity": plain_decimal(line.quantity), "net": line.net}
        for line in order.lines
    ]
    said = {"order_id": str(order.id), "number": order.number, "customer_id": str(order.customer_id)}
    amounts = {"currency": order.currency, "net": order.net, "tax": order.tax}
    return {
        **said,
        **amounts,
        "lines": lines,
        "reasons": list(reasons),
        # As text: a sum of amounts has no bound, and the canonical form of JSON (RFC 8785) has no number beyond 2^53.
        "figures": {name: None if value is None else str(value) for name, value in figures.model_dump().items()},
        "version": order.version,
    }


def _subject(order: "Order", hold: Hold, requester_id: UUID | None) -> ApprovalSubject:
    attributes = {"customer_id": str(order.customer_id), "reasons": " ".join(hold.reasons)}
    attributes["overdue_invoices"] = str(hold.overdue_invoices)
    if hold.credit_limit is not None and hold.limit_currency is not None:
        attributes |= {"credit_limit": str(hold.credit_limit), "limit_currency": hold.limit_currency}
        if hold.exposure is not None and hold.worth is not None:
            attributes["excess"] = str(max(0, hold.exposure + hold.worth - hold.credit_limit))
    return ApprovalSubject(
        kind=KIND,
        id=order.id,
        number=order.number,
        sha256=hold.sha256,
        amount=order.total,
        currency=order.currency,
        requester_id=requester_id,
        attributes=attributes,
    )
