"""What is sold and never ships: a service is performed, all of it or a part, and is supplied by that."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.orders import Progress
from contracts.performances import PerformedLine, ServicesPerformed
from orders.lines import OrderLine
from orders.progress import progress
from tailrace.core.ids import uuid7

if TYPE_CHECKING:
    from orders.models import Order


class Performed:
    """What an order has and does for the services among its lines."""

    performances: Mapped[int] = mapped_column(server_default=text("0"))
    """How often services of it were performed."""

    @property
    def goods_held(self) -> Progress:
        """How much of its goods is held or has left: all of it, where it has none."""
        return progress((line.allocated, line.wanted) for line in _order(self).lines if line.ships)

    def open_services(self) -> list[OrderLine]:
        """The lines of services that are not performed to the end."""
        return [line for line in _order(self).lines if line.unperformed > 0]

    def perform(self, wanted: Sequence[tuple[OrderLine, Decimal]], at: datetime) -> None:
        """So much of these lines, each of which has as much left, is supplied. Raises NotConfirmed."""
        order = _order(self)
        order.status = order.after("performed")
        self.performances += 1
        lines = [_performed(line, quantity) for line, quantity in wanted]
        for line, quantity in wanted:
            line.allocated += quantity
        order.record(
            ServicesPerformed(
                order_id=order.id,
                performance_id=uuid7(),
                number=f"{order.number}/{self.performances}",
                currency=order.currency,
                customer_id=order.customer_id,
                lines=lines,
                performed_at=at,
            )
        )
        order.ship((line.id, quantity) for line, quantity in wanted)


def _performed(line: OrderLine, quantity: Decimal) -> PerformedLine:
    return PerformedLine(
        line_id=line.id,
        item_id=line.item_id,
        sku=line.sku,
        name=line.name,
        quantity=quantity,
        line_quantity=line.quantity,
        line_net=line.net,
        line_tax=line.tax,
        performed_before=line.shipped,
    )


def _order(performed: Performed) -> "Order":
    return cast("Order", performed)
