"""Kinds of news: which events tell whom of what (`catalogue`). A kind is data; what is done with it is the same for all.

Nobody is told of what they did themselves. Who subscribes to a kind, or to a document or customer that it is about, needs its `scope` when it is
told, not only when they subscribed. Where the scope comes by owner, one who has it for some rows hears of documents that are theirs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from tailrace.core.events import Event

Language = Literal["en", "ja"]
Words = Mapping[Language, tuple[str, str]]
"""In each language a title and a text. `{name}` is what `values` says, in the language where it says it in each; `{customer}` is the customer's
name; moments are told by the reader's clock."""
NewsKindName = Literal[
    "approval.requested",
    "approval.answered",
    "approval.escalated",
    "task.assigned",
    "task.due_soon",
    "meeting.soon",
    "order.credit_held",
    "order.confirmed",
    "order.cancelled",
    "order.shipped",
    "lead.assigned",
    "customer.assigned",
    "customer.review_due",
    "quote.answered",
    "shipment.in_trouble",
    "shipment.delivered",
    "invoice.overdue",
    "invoice.paid",
    "kpi.missed",
]
"""What the catalogue has, and one may subscribe to."""
KindName = Literal[NewsKindName, "message"]
MESSAGE: KindName = "message"
"""What a person writes to others: it goes to those whom it names, and nobody subscribes to it."""


@dataclass(frozen=True)
class Audience:
    """Who must hear: some users, all who have one of these roles, all whom a scope is granted to in full, and all of a team."""

    users: Sequence[UUID | None] = ()
    roles: Sequence[str] = ()
    scope: str | None = None
    team_id: UUID | None = None


def numbered(event: Any) -> dict[str, Any]:
    """The number that the event says."""
    return {"number": event.number}


def own_customer(event: Any) -> UUID | None:
    """The customer whom the event names."""
    customer_id: UUID | None = event.customer_id
    return customer_id


def _nothing(event: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Kind:
    """One kind of news."""

    name: NewsKindName
    scope: str
    events: Mapping[type[Event], Words]
    document: str
    """The field of the event that has the document's id."""
    path: str
    """Where the document is shown; its id goes behind it."""
    to: Callable[[Any], Audience] = lambda event: Audience()
    """Who must hear; subscribers alone, unless it says so."""
    customer: Callable[[Any], UUID | None] = lambda event: None
    also: Callable[[Any], Sequence[UUID]] = lambda event: ()
    """Other documents that it is about too: their subscribers hear of it."""
    by_owner: bool = False
    """Whether its scope comes by owner (`orders:read:own`): who holds it for some rows may subscribe, and hears of documents of these."""
    owner: Callable[[Any], UUID | None] = lambda event: None
    """Whose the document is, where the event says it."""
    of_sale: bool = False
    """Whether it is about an order, or a shipment of one, and what the event leaves out is what was kept of these: the number, the customer, whose
    the order is. The order's subscribers hear of its shipments."""
    tells_owner: bool = False
    """Whether the owner of that order must hear, if `of_sale`."""
    once: str | None = None
    """The field of the event that has the id of what is told of once, however often the event comes; each event is news of its own, when None."""
    values: Callable[[Any], dict[str, Any]] = _nothing
    when: Callable[[Any], bool] = lambda event: True
    urgent: bool = False
    """Whether it is mailed too, where its person says nothing else."""
    plural: Mapping[Language, str] = field(default_factory=dict)
    """What many of them are called."""
