"""Events of the mail by which a customer gets a quote, on `quote.events`. The quote's link is a secret, and stands in none of them."""

from typing import ClassVar
from uuid import UUID

from contracts.quotes import QuoteEvent
from tailrace.core.personal_data import Personal


class QuoteMailEvent(QuoteEvent):
    number: str
    revision: int
    customer_id: UUID
    owner_id: UUID | None = None
    """The user who sells."""


class QuoteMailRequested(QuoteMailEvent):
    """The quote is to be mailed to this address."""

    type: ClassVar[str] = "quote.mail_requested"

    address: Personal[str]


class QuoteMailSent(QuoteMailEvent):
    """The mail server took the mail."""

    type: ClassVar[str] = "quote.mail_sent"


class QuoteMailFailed(QuoteMailEvent):
    """The mail did not go, and will not by itself."""

    type: ClassVar[str] = "quote.mail_failed"

    failure: str
    """A word for why, such as `deadline` or `status-550`."""


PUBLISHED: tuple[type[QuoteMailEvent], ...] = (QuoteMailRequested, QuoteMailSent, QuoteMailFailed)
