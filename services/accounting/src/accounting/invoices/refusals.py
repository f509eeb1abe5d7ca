"""What is refused of invoices, and the name each refusal goes by."""

from collections.abc import Sequence
from datetime import date

from tailrace.core.errors import FieldProblem, Invalid, NotYetKnown, Refused, Taken
from tailrace.db.error_classes import NotYet


class InvoiceState(Refused):
    """409: what is issued does not change, and a draft has to be issued before it is paid or credited."""

    slug, title = "invoice-state", "Not possible with this invoice now"


class AlreadyInvoiced(Taken):
    """409: what has left or was performed is on one invoice at most."""

    slug, title = "already-invoiced", "It is invoiced already"


class NothingToInvoice(Refused):
    """409: nothing has left or was performed that is not invoiced."""

    slug, title = "nothing-to-invoice", "There is nothing to invoice"


class OutOfOrder(Refused):
    """409: the numbers of a series follow the days of its documents."""

    slug, title = "out-of-order", "A later one of the series is issued already"

    def __init__(self, last: date) -> None:
        super().__init__(f"The series has a document of {last}: nothing earlier follows it.", field="/dated")


class InvoicePriceChanged(Refused):
    """409: the invoice does not come to what it did when it was drafted, or to what was expected; `errors` says which rates and totals differ."""

    slug, title = "invoice-price-changed", "The invoice has another price"

    def __init__(self, net: int, tax: int, changes: Sequence[FieldProblem] = (), *, expected: int | None) -> None:
        """`net` and `tax` are what it comes to now, in minor units, and `expected` is the total that was expected."""
        total = FieldProblem(field="/expected_total", detail=f"The total is {net + tax}, and not {expected}.")
        errors = [*([total] if expected not in {None, net + tax} else []), *changes]
        said = f"It comes to {net + tax} now, {net} and {tax} of tax; issue that with reprice."
        super().__init__(said, errors=errors[:20])


class NotOneCustomer(Invalid):
    """422: an invoice is of one customer, in one currency."""

    slug, title = "not-one-customer", "Not of one customer in one currency"


class TooMuchCredited(Refused):
    """409: no more is taken back of a line than it came to."""

    slug, title = "too-much-credited", "That is more than is left"


class NoElectronicInvoice(Refused):
    """409: the standard asks for something that nobody has said."""

    slug, title = "no-electronic-invoice", "Something is missing for an electronic invoice"


class OrderNotYetKnown(NotYetKnown, NotYet):
    """409: the order of what left or was performed has not arrived here. An event that needs it waits, and a client tries again shortly."""

    slug, title = "order-not-yet-known", "The order is not known here yet"

    def __init__(self, number: str) -> None:
        super().__init__("/shipment_ids", f"The order of {number} is still on its way here.")


class CompanyNotYetKnown(NotYetKnown, NotYet):
    """409: the company is so new that its name has not arrived here. An event that needs it waits, and a client tries again shortly."""

    slug, title = "company-not-yet-known", "The company is not known here yet"

    def __init__(self) -> None:
        super().__init__("Authorization", "The name of this tenant is still on its way here.")


class TooMuchPrepaid(Refused):
    """409: no more is paid ahead than the order has left to ask for."""

    slug, title = "too-much-prepaid", "That is more than the order has left"
