"""What is given up of an order while the rest of it stands."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, cast
from uuid import UUID

from contracts import orders as events
from contracts.orders import LineQuantity
from orders.progress import progress_of

if TYPE_CHECKING:
    from orders.models import Order


class Rest:
    """The part of an order that is about its end before all of it was supplied."""

    def cancel_rest(self, reason: str) -> None:
        """Give up what is open: all of the order, when nothing of it is held or has left."""
        order = _order(self)
        if all(line.allocated == 0 for line in order.lines):
            order.cancel(reason)
            return
        self._give_up({line.id: line.open for line in order.lines}, reason)

    @property
    def lacks_services_alone(self) -> bool:
        """Whether some of it was supplied, and services are all that is not."""
        order = _order(self)
        return order.shipment == "partial" and all(line.shipped >= line.wanted for line in order.lines if line.ships)

    def cancel_services(self, reason: str) -> None:
        """Give up the services that are still to be performed. What was supplied stays sold, and then that is all of the order."""
        order = _order(self)
        if order.status == "on_hold":
            order.resume()
        self._give_up({line.id: line.unperformed for line in order.lines}, reason)

    def _give_up(self, quantities: Mapping[UUID, Decimal], reason: str) -> None:
        order = _order(self)
        for line in order.lines:
            line.cancelled += quantities[line.id]
        order.allocation = order.goods_held
        given_up = [(line.id, line.cancelled) for line in order.lines if line.cancelled]
        said = [LineQuantity(line_id=id, quantity=quantity) for id, quantity in given_up]
        # Less is due by that, and what was asked for and paid may be all of it.
        order.invoicing, order.payment = progress_of(order.invoiced, order.due), progress_of(order.paid, order.due)
        order.record(events.OrderRestCancelled(order_id=order.id, reason=reason, lines=said))
        if order.shipment == "partial" and all(line.shipped >= line.wanted for line in order.lines):
            order.ship([])


def _order(rest: Rest) -> "Order":
    return cast("Order", rest)
