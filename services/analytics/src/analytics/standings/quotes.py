"""Quotes: made, sent, and how each revision ended. Every revision is a document of its own. Amounts are net; of an accepted quote, what was taken."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from analytics.standings.standing import Entry, Source, Standing
from contracts import quotes as events

Ending = Literal["accepted", "declined", "expired", "cancelled"]


class Quote(Standing):
    """Where a revision stands."""

    net: int = 0
    made_at: datetime
    sent_at: datetime | None = None
    ending: Ending | None = None
    ended_at: datetime | None = None
    taken: int = 0
    deleted: bool = False

    def entries(self) -> Iterator[Entry]:
        if self.deleted:
            return
        yield Entry("quote_made", self.made_at, self.net)
        if self.sent_at is not None:
            yield Entry("quote_sent", self.sent_at, self.net)
        if self.ended_at is None:
            return
        if self.ending == "accepted":
            yield Entry("quote_accepted", self.ended_at, self.taken)
        elif self.ending == "declined":
            yield Entry("quote_declined", self.ended_at, self.net)
        elif self.ending == "expired":
            yield Entry("quote_expired", self.ended_at, self.net)
        elif self.ending == "cancelled":
            yield Entry("quote_cancelled", self.ended_at, self.net)


def fold(standing: Quote | None, event: Any, at: datetime) -> Quote | None:
    """Where the quote stands after the event."""
    if isinstance(event, events.QuoteDescription):
        said = {name: getattr(event, name) for name in ("number", "owner_id", "customer_id", "currency", "net")}
        said["came_of_id"] = event.opportunity_id
        return Quote(made_at=at, **said) if standing is None else standing.model_copy(update=said)
    if standing is None:
        return None
    change: dict[str, Any] = {}
    match event:
        case events.QuoteDeleted():
            change = {"deleted": True}
        case events.QuoteSent():
            change = {"sent_at": standing.sent_at or at, "net": event.net}
        case events.QuoteAccepted():
            change = {"ending": "accepted", "ended_at": event.accepted_at, "taken": event.net}
        case events.QuoteDeclined():
            change = {"ending": "declined", "ended_at": at}
        case events.QuoteExpired():
            change = {"ending": "expired", "ended_at": at}
        case events.QuoteCancelled():
            change = {"ending": "cancelled", "ended_at": at}
    return standing.model_copy(update=change)


QUOTES = Source(
    "quote",
    "quote_id",
    Quote,
    fold,
    (
        events.QuoteCreated,
        events.QuoteUpdated,
        events.QuoteDeleted,
        events.QuoteSent,
        events.QuoteAccepted,
        events.QuoteDeclined,
        events.QuoteExpired,
        events.QuoteCancelled,
    ),
)
