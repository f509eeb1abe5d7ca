"""The lines of an order: what is sold of which item, at what price, and how far it has got."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Numeric, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import orders as events
from contracts.lots import LotQuantity
from orders.base import Base
from tailrace.core.values.money import share
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Part

NOTHING = Decimal(0)

if TYPE_CHECKING:
    from orders.models import Order


@dataclass(frozen=True, slots=True)
class Quote:
    """What a line costs on some day: the price of one base unit, the net amount, and its part of the tax at a rate."""

    unit_price: Decimal
    net: int
    tax_code: str | None
    tax_rate: Decimal
    tax: int


class OrderLine(Part, Base):
    """What is sold of one item. `quantity`, `allocated` and `shipped` are in the item's base unit; `allocated` counts what has left as well."""

    __tablename__ = "order_line"
    __table_args__ = (refers_to("sales_order", "order_id"), tenant_index("order_id"))
    __root__ = "order"

    order_id: Mapped[UUID]
    position: Mapped[int]
    item_id: Mapped[UUID]
    sku: Mapped[str]
    name: Mapped[str]
    kind: Mapped[events.LineKind] = mapped_column(server_default=text("'stock'"))
    """Goods ship, a service is performed: nothing of it is reserved, and what was performed counts as allocated and shipped."""
    warehouse_id: Mapped[UUID]
    unit: Mapped[str]
    decimals: Mapped[int]
    """How fine a quantity in `unit` may be; travels with what is shipped."""
    quantity: Mapped[Decimal]
    unit_price: Mapped[Decimal]
    price_list_id: Mapped[UUID | None]
    """The list that the price is from; None when it was agreed."""
    net: Mapped[int]
    tax_code: Mapped[str | None]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(9, 6))
    tax: Mapped[int]
    allocated: Mapped[Decimal]
    shipped: Mapped[Decimal]
    backordered: Mapped[Decimal] = mapped_column(server_default=text("0"))
    """How much of it waits for goods."""
    cancelled: Mapped[Decimal] = mapped_column(server_default=text("0"))
    """How much of it was given up, because it was not in stock."""
    lot: Mapped[str | None]
    """The number of the only lot that will do; None for any."""
    remaining_days: Mapped[int | None]
    """For how many days more a lot has to be good; None for any."""
    order: Mapped["Order"] = relationship(back_populates="lines")

    @property
    def wanted(self) -> Decimal:
        """What is to leave in all."""
        return self.quantity - self.cancelled

    @property
    def ships(self) -> bool:
        return self.kind == "stock"

    @property
    def open(self) -> Decimal:
        """How much stock it wants that is not held for it and has not left."""
        return self.wanted - self.allocated if self.ships else NOTHING

    @property
    def unperformed(self) -> Decimal:
        """How much of a service is still to be performed; nothing of goods."""
        return NOTHING if self.ships else self.wanted - self.shipped

    @property
    def due(self) -> int:
        """What is to be paid for what is to leave, tax included."""
        return sum(share(amount, NOTHING, self.wanted, self.quantity) for amount in (self.net, self.tax))

    @property
    def place(self) -> str:
        """Where the line stands in a request, as a JSON pointer."""
        return f"/lines/{self.position - 1}"

    def take(self, quote: Quote) -> None:
        for name, value in asdict(quote).items():
            setattr(self, name, value)

    def described(self) -> events.OrderLine:
        return events.OrderLine(
            line_id=self.id,
            item_id=self.item_id,
            sku=self.sku,
            name=self.name,
            kind=self.kind,
            warehouse_id=self.warehouse_id,
            quantity=self.quantity,
            unit=self.unit,
            decimals=self.decimals,
            unit_price=self.unit_price,
            price_list_id=self.price_list_id,
            net=self.net,
            tax_code=self.tax_code,
            tax_rate=self.tax_rate,
            tax=self.tax,
        )

    def to_ship(self, quantity: Decimal, lots: list[LotQuantity]) -> events.ShipmentLineRequest:
        return events.ShipmentLineRequest(
            line_id=self.id,
            item_id=self.item_id,
            sku=self.sku,
            name=self.name,
            warehouse_id=self.warehouse_id,
            unit=self.unit,
            decimals=self.decimals,
            quantity=quantity,
            line_quantity=self.quantity,
            line_net=self.net,
            line_tax=self.tax,
            lots=lots,
        )
