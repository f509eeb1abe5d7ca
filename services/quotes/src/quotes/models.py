"""A quote, and what can be done with it. Each revision is a quote of its own: what was once sent is never changed.

Amounts are whole minor units of the quote's currency; those of the lines that count add up to the quote's. Every change is a method that refuses, or
records an event.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Numeric, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import quotes as events
from contracts.approvals import ApprovalSubject
from contracts.orders import Address, RateOfTax
from quotes.base import Base
from quotes.lines import QuoteLine
from quotes.mailed import Mailed
from quotes.refusals import NothingOffered, NotInThisState
from quotes.totals import WholeDiscount, add_up
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace.core.transitions import Transitions
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.unique import unique_value
from tailrace.db.visibility import Owned
from tailrace.messaging.handover import Owner

Status = Literal[
    "draft", "in_approval", "approved", "sent", "accepted", "declined", "expired", "superseded", "cancelled"
]
OPEN: Sequence[Status] = ("draft", "in_approval", "approved", "sent")
"""In these, something is still to come of it."""
STATES = Transitions[Status](
    "Quote",
    {
        "draft": {
            "changed": "draft",
            "submitted": "in_approval",
            "approved": "approved",
            "deleted": "cancelled",
            "cancelled": "cancelled",
        },
        "in_approval": {
            "changed": "draft",
            "recalled": "draft",
            "approved": "approved",
            "rejected": "draft",
            "failed": "cancelled",
            "cancelled": "cancelled",
        },
        "approved": {"changed": "draft", "recalled": "draft", "sent": "sent", "cancelled": "cancelled"},
        "sent": {
            "mailed": "sent",
            "accepted": "accepted",
            "declined": "declined",
            "expired": "expired",
            "revised": "superseded",
            "cancelled": "cancelled",
        },
        # Once its order has ended.
        "accepted": {"revised": "superseded"},
        "declined": {"revised": "superseded"},
        "expired": {"revised": "superseded"},
        "cancelled": {"revised": "superseded"},
        "superseded": {},
    },
    NotInThisState,
)


class Quote(Mailed, Aggregate, Owned, Base):
    __tablename__ = "quote"
    owned_by = "owner_id"
    __table_args__ = (
        unique_value("number", "revision"),
        tenant_index("customer_id", "id"),
        tenant_index("owner_id", "id"),
        tenant_index("status", "id"),
        tenant_index("valid_until", "id"),
        tenant_index("opportunity_id", "id", where="opportunity_id IS NOT NULL"),
        tenant_index("order_id", where="order_id IS NOT NULL"),
    )

    number: Mapped[str]
    revision: Mapped[int]
    status: Mapped[Status]
    reason: Mapped[str | None]
    """Why it was rejected, recalled, declined or cancelled."""
    customer_id: Mapped[UUID]
    customer: Mapped[dict[str, Any]]
    """What the document says of the customer, as it was when the quote was made: `name`, `number`, `lines`, `tax_id`, `contact`, `language`; and
    `contact_id`, who that is, which it does not say."""
    owner_id: Mapped[UUID | None]
    """The user who sells."""
    owner_name: Mapped[str | None]
    """What they were called when it became theirs."""
    opportunity_id: Mapped[UUID | None]
    """The opportunity that it is made for."""
    dated: Mapped[date]
    valid_until: Mapped[date]
    currency: Mapped[str]
    price_list_id: Mapped[UUID | None]
    warehouse_id: Mapped[UUID]
    ship_to: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    customer_reference: Mapped[str | None]
    payment_terms_days: Mapped[int]
    terms: Mapped[str | None]
    notes: Mapped[str | None]
    confirm_order: Mapped[bool]
    custom_fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    discount_rate: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    discount_amount: Mapped[int | None]
    discount: Mapped[int]
    """What the whole was lowered by."""
    net: Mapped[int]
    tax: Mapped[int]
    submissions: Mapped[int]
    """How often it was submitted: an answer to an earlier submission is none to this one, even of the same text."""
    sha256: Mapped[str | None]
    """Of the document that was submitted or approved; None for a draft."""
    seller_name: Mapped[str | None]
    """What the company called itself in that document; None for a draft, which says what it is called today."""
    sent_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None]
    order_id: Mapped[UUID | None]
    """The order that it became."""
    order_ended: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether that order was cancelled, or what was left of it."""
    lines: Mapped[list[QuoteLine]] = relationship(
        back_populates="quote", cascade="all, delete-orphan", lazy="selectin", order_by="QuoteLine.position"
    )

    @property
    def name(self) -> str:
        """Number and revision, as people write them."""
        return f"{self.number}/{self.revision}"

    @property
    def is_open(self) -> bool:
        """Whether something is still to come of it: an answer, or once it was accepted its order."""
        return self.status in OPEN or (self.status == "accepted" and self.order_id is None)

    @property
    def customer_name(self) -> str:
        return str(self.customer["name"])

    @property
    def total(self) -> int:
        return self.net + self.tax

    @property
    def whole(self) -> WholeDiscount:
        return WholeDiscount(self.discount_rate, self.discount_amount)

    @property
    def items(self) -> list[QuoteLine]:
        return [line for line in self.lines if line.kind == "item"]

    @property
    def counted(self) -> list[QuoteLine]:
        """The lines that the totals are of: those that are included, or once it is accepted, those that were taken."""
        return [line for line in self.items if line.counts]

    @property
    def taxes(self) -> list[RateOfTax]:
        """What is taxed at each rate, the lowest first."""
        return RateOfTax.of(self.counted)

    # Until it is sent.

    @classmethod
    def drafted(cls, number: str, revision: int, terms: Mapping[str, Any]) -> "Quote":
        """A new draft. `terms` are the columns that its author decides, `lines` among them."""
        quote = cls(id=uuid7(), number=number, revision=revision, status="draft", submissions=0)
        quote._take(terms)
        quote.record(events.QuoteCreated(**quote._description()))
        return quote

    def after(self, step: str) -> Status:
        """The status that a step leads to. Raises NotInThisState."""
        after = STATES.after(self.status, step, self.name)
        if self.status == "accepted" and not self.order_ended:
            raise NotInThisState(f"Quote {self.name} is accepted. It can be revised once its order is cancelled.")
        return after

    def change(self, terms: Mapping[str, Any]) -> None:
        """Replace everything that an author may say. An approval that was asked for or given counts no more."""
        after = self.after("changed")
        if self.status != "draft":
            self._back_to_draft("It was changed.")
        self.status = after
        self._take(terms)
        self.record(events.QuoteUpdated(**self._description()))

    def submit(self, subject: ApprovalSubject, seller_name: str) -> None:
        """Wait for an approval of the document as it is, which names the seller so."""
        self._offer()
        self.seller_name = seller_name
        self.status, self.reason, self.sha256 = self.after("submitted"), None, subject.sha256
        self.record(events.QuoteSubmitted(subject=subject, **self._which()))

    def awaits(self) -> str | None:
        """The hash of what it waits for an approval of; None while it waits for none."""
        return self.sha256 if self.status == "in_approval" else None

    def approve_at_once(self, sha256: str, seller_name: str) -> None:
        """Approve the document as it is, which names the seller so."""
        self.seller_name = seller_name
        self.approve(sha256)

    def approve(self, sha256: str, approval_id: UUID | None = None) -> None:
        self._offer()
        self.status, self.reason, self.sha256 = self.after("approved"), None, sha256
        self.record(events.QuoteApproved(sha256=sha256, approval_id=approval_id, **self._which()))

    def reject(self, approval_id: UUID, reason: str, *, final: bool) -> None:
        self.status, self.reason, self.sha256 = self.after("failed" if final else "rejected"), reason, None
        self.seller_name = None
        self.record(events.QuoteRejected(approval_id=approval_id, reason=reason, final=final, **self._which()))

    def recall(self, reason: str | None) -> None:
        self.after("recalled")
        self._back_to_draft(reason)

    def delete(self) -> None:
        self.status = self.after("deleted")
        self.record(events.QuoteDeleted(**self._which()))

    # From then on.

    def send(self, at: datetime) -> None:
        self.status, self.sent_at = self.after("sent"), at
        amounts = {"net": self.net, "tax": self.tax, "currency": self.currency}
        about = {"customer_id": self.customer_id, "valid_until": self.valid_until}
        self.record(events.QuoteSent(**self._which(), **about, **amounts))

    def accept(self, at: datetime, by: str | None, reference: str | None, taken: Iterable[UUID]) -> None:
        """The customer takes it, with the optional and alternative lines in `taken`. Raises Invalid for lines that it cannot take."""
        after = self.after("accepted")
        self._choose(set(taken))
        self.status, self.accepted_at, self.accepted_by = after, at, by
        self.customer_reference = reference or self.customer_reference or self.name
        self.record(
            events.QuoteAccepted(
                **self._which(),
                customer_id=self.customer_id,
                customer_name=self.customer_name,
                customer_reference=self.customer_reference,
                opportunity_id=self.opportunity_id,
                accepted_by=by,
                accepted_at=at,
                currency=self.currency,
                warehouse_id=self.warehouse_id,
                ship_to=None if self.ship_to is None else Address.model_validate(self.ship_to),
                confirm_order=self.confirm_order,
                payment_terms_days=self.payment_terms_days,
                owner_id=self.owner_id,
                owner_name=self.owner_name,
                net=self.net,
                tax=self.tax,
                lines=[line.described() for line in self.counted],
                custom_fields=self.custom_fields,
            )
        )

    def decline(self, reason: str) -> None:
        self.status, self.reason = self.after("declined"), reason
        about = {"customer_id": self.customer_id, "opportunity_id": self.opportunity_id}
        self.record(events.QuoteDeclined(**self._which(), **about, owner_id=self.owner_id, reason=reason))

    def expire(self) -> None:
        self.status = self.after("expired")
        about = {"customer_id": self.customer_id, "valid_until": self.valid_until}
        self.record(events.QuoteExpired(**self._which(), **about))

    def cancel(self, reason: str) -> None:
        self.status, self.reason = self.after("cancelled"), reason
        self.record(events.QuoteCancelled(reason=reason, **self._which()))

    def supersede(self, by: "Quote") -> None:
        self.status = self.after("revised")
        self.record(events.QuoteRevised(by_quote_id=by.id, **self._which()))

    # What others' events lead to.

    def become(self, order_id: UUID, order_number: str) -> None:
        """Know the order that it became. Records nothing when it does already."""
        if self.order_id != order_id:
            self.order_id = order_id
            self.record(events.QuoteOrdered(**self._which(), order_id=order_id, order_number=order_number))

    def lose_order(self, reason: str, *, rest_only: bool = False) -> None:
        """Know that its order ended, or what was left of it."""
        if self.status == "accepted" and not self.order_ended:
            self.order_ended = True
            self.record(
                events.QuoteOrderEnded(**self._which(), order_id=self.order_id, rest_only=rest_only, reason=reason)
            )

    def regain_order(self) -> None:
        """Know that its order stands after all. A revision that was begun meanwhile stays: people decide what becomes of it."""
        if self.order_ended:
            self.order_ended = False
            self.record(events.QuoteOrderResumed(**self._which(), order_id=self.order_id))

    def belong_to(self, customer_id: UUID) -> None:
        """Its customer turned out to be another. What the document says stays."""
        self.customer_id = customer_id
        self.record(events.QuoteUpdated(**self._description()))

    def hand_over(self, to: Owner) -> None:
        """Another user sells it, or nobody."""
        self.owner_id, self.owner_name = to
        self.record(events.QuoteUpdated(**self._description()))

    def set_costs(self, costs: Mapping[UUID, Decimal | None]) -> None:
        """What one base unit of these lines costs, in minor units. That is no part of the document, and no event tells it."""
        for line in self.items:
            if line.id in costs:
                line.unit_cost = costs[line.id]
        self.record(events.QuoteUpdated(**self._description()))

    def _offer(self) -> None:
        if not self.counted:
            raise NothingOffered(f"Quote {self.name} has no line that is included.")

    def _back_to_draft(self, reason: str | None) -> None:
        was = self.sha256
        self.status, self.reason, self.sha256, self.seller_name = "draft", reason, None, None
        self.record(events.QuoteRecalled(sha256=was, reason=reason, **self._which()))

    def _choose(self, taken: set[UUID]) -> None:
        by_id = {line.id: line for line in self.items}
        replaced: set[int] = set()
        for id in sorted(taken):
            line = by_id.get(id)
            if line is None or line.inclusion == "included":
                raise Invalid.field("/taken", f"{id} is no optional or alternative line of this quote.")
            if line.alternative_to is not None:
                if line.alternative_to in replaced:
                    raise Invalid.field("/taken", f"Only one may stand in place of line {line.alternative_to}.")
                replaced.add(line.alternative_to)
        for line in self.items:
            line.counts = line.id in taken or (line.inclusion == "included" and line.position not in replaced)
        self._add_up()

    def _take(self, terms: Mapping[str, Any]) -> None:
        for name, value in terms.items():
            setattr(self, name, value)
        self._add_up()

    def _add_up(self) -> None:
        lines = self.counted
        totals = add_up([(line.amount, line.levy) for line in lines], self.whole)
        for line, net, tax in zip(lines, totals.nets, totals.taxes, strict=True):
            line.net, line.tax = net, tax
        for line in self.items:
            if not line.counts:
                alone = add_up([(line.amount, line.levy)], WholeDiscount(self.discount_rate))
                line.net, line.tax = alone.net, alone.tax
        self.discount, self.net, self.tax = totals.discount, totals.net, totals.tax

    def _which(self) -> dict[str, Any]:
        return {"quote_id": self.id, "number": self.number, "revision": self.revision}

    def _description(self) -> dict[str, Any]:
        return {
            **self._which(),
            "customer_id": self.customer_id,
            "customer_name": self.customer_name,
            "owner_id": self.owner_id,
            "owner_name": self.owner_name,
            "open": self.is_open,
            "opportunity_id": self.opportunity_id,
            "currency": self.currency,
            "dated": self.dated,
            "valid_until": self.valid_until,
            "discount": self.discount,
            "net": self.net,
            "tax": self.tax,
            "taxes": self.taxes,
            "lines": [line.described() for line in self.items],
            "warehouse_id": self.warehouse_id,
            "custom_fields": self.custom_fields,
        }
