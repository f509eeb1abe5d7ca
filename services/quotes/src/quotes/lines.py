"""The lines of a quote, each with the price and the rate of tax that it was made with."""

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import quotes as events
from contracts.quotes import Inclusion
from quotes.base import Base
from tailrace.core.values.money import RoundingMode
from tailrace.core.values.taxes import Levy, TaxLevel
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Part
from tailrace.pricing.book import price_of_one

if TYPE_CHECKING:
    from quotes.models import Quote


class QuoteLine(Part, Base):
    """A line: so much of an item, or a text. What a text has none of is None, or zero.

    `quantity` is in `unit`, as the author wrote it, and `base_quantity` in the item's base unit, which prices are of.
    """

    __tablename__ = "quote_line"
    __table_args__ = (refers_to("quote", "quote_id"), tenant_index("quote_id"))
    __root__ = "quote"

    quote_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[Literal["item", "text"]]
    inclusion: Mapped[Inclusion]
    alternative_to: Mapped[int | None]
    """The position of the line that this one can stand in place of."""
    counts: Mapped[bool]
    """Whether the totals are of it."""
    item_id: Mapped[UUID | None]
    sku: Mapped[str | None]
    name: Mapped[str]
    description: Mapped[str | None]
    unit: Mapped[str | None]
    quantity: Mapped[Decimal | None]
    base_unit: Mapped[str | None]
    base_quantity: Mapped[Decimal | None]
    decimals: Mapped[int]
    price_list_id: Mapped[UUID | None]
    list_price: Mapped[Decimal | None]
    """What the list says of one base unit; None where there is none to compare with."""
    unit_price: Mapped[Decimal | None]
    """The price of one `unit` before `discount_rate`: what was agreed, or what follows from the list, for display."""
    agreed: Mapped[bool]
    """Whether the author said the price."""
    discount_rate: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    amount: Mapped[int]
    """After the line's own discount, before that on the whole."""
    net: Mapped[int]
    """After both."""
    tax_code: Mapped[str | None]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(9, 6))
    tax_level: Mapped[TaxLevel]
    tax_mode: Mapped[RoundingMode]
    tax: Mapped[int]
    unit_cost: Mapped[Decimal | None]
    """What one base unit costs, in minor units of the quote's currency; None when nobody knows."""
    quote: Mapped["Quote"] = relationship(back_populates="lines")

    @property
    def levy(self) -> Levy:
        return Levy(self.tax_code, self.tax_rate, self.tax_level, self.tax_mode)

    def discount_from_list(self, whole: Fraction) -> Fraction | None:
        """What share of the list's price is taken off when `whole` is the share that the whole is lowered by; None without a list price."""
        if self.list_price is None or self.base_quantity is None:
            return None
        listed = Fraction(self.list_price) * Fraction(self.base_quantity)
        if listed == 0:
            return Fraction(0)
        return 1 - self.exact * (1 - whole) / listed

    def described(self) -> events.QuotedItem:
        assert self.item_id and self.sku and self.base_unit and self.base_quantity, "only items are described"
        return events.QuotedItem(
            line_id=self.id,
            item_id=self.item_id,
            sku=self.sku,
            name=self.name,
            unit=self.base_unit,
            decimals=self.decimals,
            quantity=self.base_quantity,
            unit_price=price_of_one(self.net, self.base_quantity),
            net=self.net,
            tax_code=self.tax_code,
            tax_rate=self.tax_rate,
            tax=self.tax,
            inclusion=self.inclusion,
        )

    @property
    def exact(self) -> Fraction:
        """What the line comes to after its own discount, before it is rounded."""
        if self.agreed:
            assert self.unit_price is not None and self.quantity is not None
            full = Fraction(self.unit_price) * Fraction(self.quantity)
        else:
            assert self.list_price is not None and self.base_quantity is not None
            full = Fraction(self.list_price) * Fraction(self.base_quantity)
        return full * (1 - Fraction(self.discount_rate or 0))
