"""Events of orders that are changed after they were confirmed, on `order.events`: they are taken back, and are drafts again."""

from typing import ClassVar

from contracts.orders import OrderEvent


class OrderReopeningRequested(OrderEvent):
    """Somebody wants to change the order: nothing of it is to be allocated or dispatched any more. The answer is `order.reopened`, or
    `order.reinstated` when something had left already."""

    type: ClassVar[str] = "order.reopening_requested"

    reason: str


class OrderReopened(OrderEvent):
    """Nothing is held for the order any more, and it is a draft again, in its next revision. What was confirmed binds no more."""

    type: ClassVar[str] = "order.reopened"

    number: str
    revision: int
    reason: str | None = None


PUBLISHED: tuple[type[OrderEvent], ...] = (OrderReopeningRequested, OrderReopened)
