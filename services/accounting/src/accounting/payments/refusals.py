"""What is refused of payments, and the name each refusal goes by."""

from datetime import date

from tailrace.core.errors import Refused, Taken


class TooMuchAllocated(Refused):
    """409: a payment is allocated once, and an invoice is paid once."""

    slug, title = "too-much-allocated", "That is more than there is"


class PaymentState(Refused):
    """409: what was reversed is no payment any more, and what is allocated is not reversed."""

    slug, title = "payment-state", "Not possible with this payment now"


class NotTheirInvoice(Refused):
    """409: a payment is for invoices of the customer whose it is."""

    slug, title = "not-their-invoice", "The invoice is another customer's"


class NoRate(Refused):
    """409: nobody has said what one currency is worth in another on that day."""

    slug, title = "no-rate", "There is no exchange rate"

    def __init__(self, currency: str, against: str, day: date) -> None:
        super().__init__(f"There is no rate of {currency} against {against} for {day}: set one.")


class OpenItemsBehind(Refused):
    """409: what was issued or paid a moment ago is not among the open items yet, or a dead letter keeps it from them."""

    slug, title = "open-items-behind", "The open items do not show everything yet"

    def __init__(self, number: str) -> None:
        detail = f"The open items do not say yet what became of {number}. Try again shortly; where that does not help, ask who runs the platform."
        super().__init__(detail, headers={"Retry-After": "1"})


class AlreadyRevalued(Taken):
    """409: a day is valued once."""

    slug, title = "already-revalued", "The day is valued already"
