"""What quotes refuse, each by a name that a client can tell from the others."""

from datetime import date

from tailrace.core.errors import Problem, Refused


class NotInThisState(Refused):
    """409: a quote in this state does not allow it; the detail says what is possible."""

    slug, title = "quote-state", "Not possible in this state of the quote"


class NoLongerValid(Refused):
    """409: the last day on which it could be accepted is over."""

    slug, title = "quote-expired", "The quote is no longer valid"

    def __init__(self, number: str, valid_until: date) -> None:
        super().__init__(f"Quote {number} was valid until {valid_until}.")


class NothingOffered(Refused):
    """409: there is no line that a customer could accept."""

    slug, title = "quote-empty", "The quote offers nothing"


class CannotMail(Refused):
    """409: the operator has not said by which server mail goes, or at which address customers reach the platform."""

    slug, title = "cannot-mail", "Nothing is mailed here"


class LinkEnded(Problem):
    """410: the link was good once: its time is over, or what it leads to is not offered any more."""

    status, slug, title = 410, "link-ended", "This link leads nowhere any more"
