"""Events of quotes, on `quote.events`: what was offered to whom, and how that ended.

Each revision of a quote is a document of its own, with an id of its own; all revisions share a number. Created and updated events carry the whole.
"""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.approvals import Submission, Withdrawal
from contracts.orders import Address, RateOfTax
from tailrace.core.events import Event
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, Quantity, Rate, UnitPrice

Inclusion = Literal["included", "optional", "alternative"]
"""Whether a line is a part of what is offered, may be taken besides, or in place of one that is."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class QuotedItem(_Value):
    """A line that offers so much of an item. Quantities are in its base unit, and `unit_price` is of one."""

    line_id: UUID
    item_id: UUID
    sku: str
    name: str
    unit: str
    """The item's base unit."""
    decimals: int
    """How fine a quantity in `unit` may be."""
    quantity: Quantity
    unit_price: UnitPrice
    """After every discount, for display: `net` is what binds."""
    net: Minor
    """After every discount, in minor units."""
    tax_code: str | None = None
    tax_rate: Rate
    tax: Minor
    inclusion: Inclusion = "included"


class AuthorityLimit(_Value):
    """How far a role or a user may go without anybody's approval."""

    role: str | None = None
    """The role that it holds for; null for a limit of one user."""
    user_id: UUID | None = None
    """The user that it holds for; null for a limit of a role."""
    max_discount_rate: Rate
    """The largest discount on any line, what is taken off the whole included."""
    max_net: Minor | None = None
    """The largest amount before tax, in minor units of `currency`; null for any."""
    currency: Currency | None = None
    """What `max_net` is in, an ISO 4217 code."""
    unlisted_prices: bool = False
    """Whether a price may stand that there is no list price to compare with."""


class QuoteEvent(Event):
    topic: ClassVar[str] = "quote.events"
    publisher: ClassVar[str] = "quotes"

    quote_id: UUID


class QuoteDescription(QuoteEvent):
    """What both describing events say of one revision. Text lines are left out."""

    comes_of: ClassVar[tuple[str, ...]] = ("opportunity_id",)

    number: str
    revision: int
    customer_id: UUID
    customer_name: Personal[str]
    owner_id: UUID | None = None
    """The user who sells."""
    owner_name: Personal[str | None] = None
    open: bool = True
    """Whether something is still to come of it: an answer, or once it was accepted its order."""
    opportunity_id: UUID | None = None
    currency: Currency
    dated: date
    valid_until: date
    discount: Minor
    net: Minor
    tax: Minor
    taxes: list[RateOfTax] = []
    lines: list[QuotedItem]
    warehouse_id: UUID | None = None
    """Where what is offered is to leave from; null in what was recorded before this was said."""
    custom_fields: dict[str, bool | str] = {}
    """Fields that the company adds, by their keys; a number is a string."""


class QuoteCreated(QuoteDescription):
    """There is a new quote, or a new revision of one, as a draft."""

    type: ClassVar[str] = "quote.created"


class QuoteUpdated(QuoteDescription):
    """The quote is different now; carries the whole of it."""

    type: ClassVar[str] = "quote.updated"


class QuoteDeleted(QuoteEvent):
    """The draft was dropped before anybody was shown it."""

    type: ClassVar[str] = "quote.deleted"

    number: str
    revision: int


class QuoteSubmitted(Submission, QuoteEvent):
    """The quote is beyond the authority of the user who submits it: it waits for an approval of `subject`."""

    type: ClassVar[str] = "quote.submitted"

    number: str
    revision: int


class QuoteApproved(QuoteEvent):
    """The quote may be sent. Without an `approval_id`, it was within the authority of the user who submitted it."""

    type: ClassVar[str] = "quote.approved"

    number: str
    revision: int
    sha256: str
    approval_id: UUID | None = None


class QuoteRejected(QuoteEvent):
    """The quote was not approved; it is a draft again, or with `final` at its end."""

    type: ClassVar[str] = "quote.rejected"

    number: str
    revision: int
    approval_id: UUID
    reason: str
    final: bool = False


class QuoteRecalled(Withdrawal, QuoteEvent):
    """The quote is a draft again, before anybody was shown it; an approval of it, asked for or given, counts no more."""

    type: ClassVar[str] = "quote.recalled"
    withdraws: ClassVar[tuple[str, str]] = ("quote", "quote_id")

    number: str
    revision: int
    sha256: str | None = None
    reason: str | None = None


class QuoteSent(QuoteEvent):
    """The customer was sent the quote, which binds until `valid_until`, that day included."""

    type: ClassVar[str] = "quote.sent"

    number: str
    revision: int
    customer_id: UUID
    valid_until: date
    net: Minor
    tax: Minor
    currency: Currency


class QuoteAccepted(QuoteEvent):
    """The customer takes what was offered: this carries all that an order of it needs. `lines` are those that were taken."""

    type: ClassVar[str] = "quote.accepted"

    number: str
    revision: int
    customer_id: UUID
    customer_name: Personal[str]
    customer_reference: str
    opportunity_id: UUID | None = None
    accepted_by: Personal[str] | None = None
    accepted_at: datetime
    currency: Currency
    warehouse_id: UUID
    ship_to: Address | None = None
    confirm_order: bool = True
    """Whether the order that this becomes binds at once, or is a draft."""
    payment_terms_days: int | None = None
    """How many days after an invoice it is due; null in what was recorded before this was said: as was agreed with the customer."""
    owner_id: UUID | None = None
    """The user who sells."""
    owner_name: Personal[str | None] = None
    net: Minor
    tax: Minor
    lines: list[QuotedItem]
    custom_fields: dict[str, bool | str] = {}
    """Fields that the company adds to quotes, by their keys; a number is a string."""


class QuoteOrdered(QuoteEvent):
    """The order that an accepted quote became is there."""

    type: ClassVar[str] = "quote.ordered"

    number: str
    revision: int
    order_id: UUID
    order_number: str


class QuoteOrderEnded(QuoteEvent):
    """The order that it became was cancelled, in whole or what was left of it: a newer revision may take the quote's place."""

    type: ClassVar[str] = "quote.order_ended"

    number: str
    revision: int
    order_id: UUID
    rest_only: bool = False
    """Whether a part of it stays sold, since the order gave up what was left alone."""
    reason: str


class QuoteOrderResumed(QuoteEvent):
    """The order that it became stands after all: goods had left before its cancellation reached them."""

    type: ClassVar[str] = "quote.order_resumed"

    number: str
    revision: int
    order_id: UUID


class QuoteDeclined(QuoteEvent):
    """The customer does not want it."""

    type: ClassVar[str] = "quote.declined"

    number: str
    revision: int
    customer_id: UUID
    opportunity_id: UUID | None = None
    owner_id: UUID | None = None
    """The user who sells; null in what was recorded before this was said."""
    reason: str


class QuoteExpired(QuoteEvent):
    """The last day on which the quote could be accepted is over."""

    type: ClassVar[str] = "quote.expired"

    number: str
    revision: int
    customer_id: UUID
    valid_until: date


class QuoteRevised(QuoteEvent):
    """A newer revision stands in this one's place, which can be accepted no more."""

    type: ClassVar[str] = "quote.revised"

    number: str
    revision: int
    by_quote_id: UUID


class QuoteCancelled(Withdrawal, QuoteEvent):
    """It is not offered any more."""

    type: ClassVar[str] = "quote.cancelled"
    withdraws: ClassVar[tuple[str, str]] = ("quote", "quote_id")

    number: str
    revision: int
    reason: str


class QuoteAuthorityChanged(Event):
    """Who may quote how much without approval is different now; carries the whole of it."""

    topic: ClassVar[str] = "quote.events"
    publisher: ClassVar[str] = "quotes"
    type: ClassVar[str] = "quote.authority_changed"

    authority_id: UUID
    limits: list[AuthorityLimit]


OVER: tuple[type[QuoteEvent], ...] = (
    QuoteOrdered,
    QuoteDeclined,
    QuoteExpired,
    QuoteCancelled,
    QuoteDeleted,
    QuoteRevised,
)
"""Nothing is to come of a quote after these, nor after a QuoteRejected that is `final`: it needs what it offers no more."""

PUBLISHED: tuple[type[Event], ...] = (
    QuoteCreated,
    QuoteUpdated,
    QuoteDeleted,
    QuoteSubmitted,
    QuoteApproved,
    QuoteRejected,
    QuoteRecalled,
    QuoteSent,
    QuoteAccepted,
    QuoteOrdered,
    QuoteOrderEnded,
    QuoteOrderResumed,
    QuoteDeclined,
    QuoteExpired,
    QuoteRevised,
    QuoteCancelled,
    QuoteAuthorityChanged,
)
