"""What an order refuses, and why, in the words a client reads."""

from tailrace.core.errors import Refused


class _InState(Refused):
    needs: str

    def __init__(self, number: str, status: str) -> None:
        super().__init__(f"Order {number} is {status.replace('_', ' ')}; {self.needs}")


class NotADraft(_InState):
    slug, title = "order-not-a-draft", "The order is no longer a draft"
    needs = "only a draft can be changed, confirmed or deleted."


class NotConfirmed(_InState):
    slug, title = "order-not-confirmed", "The order is not confirmed"
    needs = "this needs a confirmed order."


class NotOnHold(_InState):
    slug, title = "order-not-on-hold", "The order is not on hold"
    needs = "only an order on hold can be resumed."


class AlreadyCancelled(Refused):
    slug, title = "order-cancelled", "The order is cancelled already"

    def __init__(self, number: str) -> None:
        super().__init__(f"Order {number} was cancelled before.")


class AlreadyShipped(Refused):
    slug, title = "order-shipped", "The order has been shipped"

    def __init__(self, number: str) -> None:
        super().__init__(f"Everything of order {number} has left.")


class AllocationUnderWay(Refused):
    slug, title = "order-allocation-under-way", "The order is being allocated"

    def __init__(self, number: str) -> None:
        super().__init__(f"Order {number} waits for stock to be reserved; see how that ends first.")


class NothingToAllocate(Refused):
    slug, title = "order-allocated", "The order is allocated"

    def __init__(self, number: str) -> None:
        super().__init__(f"Everything of order {number} is held or has left.")
