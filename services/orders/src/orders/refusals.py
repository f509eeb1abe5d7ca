"""What an order refuses, and why, in the words a client reads."""

from collections.abc import Sequence

from tailrace.core.errors import FieldProblem, Refused


class NotADraft(Refused):
    """409: only a draft can be changed, confirmed or deleted."""

    slug, title = "order-not-a-draft", "The order is no longer a draft"


class PriceChanged(Refused):
    """409: the order does not cost what it did when it was drafted, or what was expected; `errors` says which prices, rates and totals differ."""

    slug, title = "price-changed", "The price has changed"

    def __init__(self, net: int, tax: int, changes: Sequence[FieldProblem] = (), *, expected: int | None) -> None:
        """`net` and `tax` are what it costs now, in minor units, and `expected` is the total that was expected."""
        total = FieldProblem(field="/expected_total", detail=f"The total is {net + tax}, and not {expected}.")
        errors = [*([total] if expected not in {None, net + tax} else []), *changes]
        super().__init__(
            f"It costs {net + tax} now, {net} and {tax} of tax; confirm that with reprice.", errors=errors[:20]
        )


class BoundByQuote(Refused):
    """409: what is ordered, and at what price, was agreed in a quote."""

    slug, title = "order-bound-by-quote", "The order is what was quoted"

    def __init__(self, number: str, quote: str | None) -> None:
        super().__init__(f"Order {number} was made of quote {quote}: let it be as it is, or drop it.")


class NotConfirmed(Refused):
    """409: this needs a confirmed order."""

    slug, title = "order-not-confirmed", "The order is not confirmed"


class NotOnHold(Refused):
    """409: only an order on hold can be resumed."""

    slug, title = "order-not-on-hold", "The order is not on hold"


class AlreadyCancelled(Refused):
    """409: it was cancelled before."""

    slug, title = "order-cancelled", "The order is cancelled already"


class AlreadyShipped(Refused):
    """409: nothing of it is left to stop."""

    slug, title = "order-shipped", "The order has been shipped"

    def __init__(self, number: str) -> None:
        super().__init__(f"Everything of order {number} has left or was performed.")


class PartlyShipped(Refused):
    """409: what an order is for does not change when some of it has left or was performed."""

    slug, title = "order-partly-shipped", "Some of the order has left"

    def __init__(self, number: str) -> None:
        super().__init__(f"Some of order {number} has left or was performed: cancel the rest, and take another order.")


class OrderInvoiced(Refused):
    """409: an order that is invoiced is not changed."""

    slug, title = "order-invoiced", "The order is invoiced"

    def __init__(self, number: str) -> None:
        super().__init__(f"Order {number} is on an invoice, for money ahead: take that back by a credit note first.")


class NotReopened(Refused):
    """409: nobody wants to change the order."""

    slug, title = "order-not-reopened", "The order is not being reopened"


class AllocationUnderWay(Refused):
    slug, title = "order-allocation-under-way", "The order is being allocated"

    def __init__(self, number: str) -> None:
        super().__init__(f"Order {number} waits for stock to be reserved; see how that ends first.")


class NothingToPerform(Refused):
    """409: no service of the order is open."""

    slug, title = "nothing-to-perform", "No service is left to perform"

    def __init__(self, number: str) -> None:
        super().__init__(f"Order {number} has no service that is still to be performed.")


class MoreThanOrdered(Refused):
    """409: no more of a service is performed than was ordered."""

    slug, title = "more-than-ordered", "More than was ordered"


class NothingToAllocate(Refused):
    slug, title = "order-allocated", "The order is allocated"

    def __init__(self, number: str) -> None:
        super().__init__(f"Everything of order {number} is held or has left.")
