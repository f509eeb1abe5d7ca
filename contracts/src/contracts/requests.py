"""What requests of orders to inventory and shipping are made of: how much of which line, in whose turn, of which lots, and where it goes."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.lots import LotQuantity
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Minor, Quantity, SignedQuantity


class LineQuantity(BaseModel):
    """How much of a line; zero is possible. `lots`: of which lots, where that is known and matters."""

    model_config = ConfigDict(frozen=True)

    line_id: UUID
    quantity: SignedQuantity
    lots: list[LotQuantity] = []


class RequestedLine(BaseModel):
    """A line of a request to inventory."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    line_id: UUID
    item_id: UUID
    warehouse_id: UUID
    quantity: Quantity
    lot: str | None = None
    """The number of the only lot that will do; null for any."""
    remaining_days: int | None = None
    """For how many days more a lot has to be good; null for any."""


class Rank(BaseModel):
    """Who has goods first: the lower `priority`, then the earlier requested date (none comes last), then the earlier confirmation."""

    model_config = ConfigDict(frozen=True)

    priority: int
    requested_date: date | None = None
    confirmed_at: datetime


class Departure(BaseModel):
    """A shipment that has left, and what it took of each line."""

    model_config = ConfigDict(frozen=True)

    shipment_id: UUID
    lines: list[LineQuantity]


class ShipmentLineRequest(BaseModel):
    """What to ship of an order's line. The amounts are those of the whole line, so that a part can be valued exactly.

    `unit` is the item's base unit; a quantity in it has at most `decimals` decimals.
    """

    model_config = ConfigDict(frozen=True)

    line_id: UUID
    item_id: UUID
    sku: str
    name: str
    warehouse_id: UUID
    unit: str | None = None
    decimals: int = 6
    quantity: Quantity
    line_quantity: Quantity
    line_net: Minor
    line_tax: Minor
    lots: list[LotQuantity] = []


class Address(BaseModel):
    """Where goods go."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    lines: Personal[list[str]] = []
    """Street and number, and whatever else stands above the town, line by line."""
    city: Personal[str] | None = None
    """The town that the goods go to."""
    postal_code: Personal[str] | None = None
    """As the post of that country writes it."""
    country: str | None = None
    """An ISO 3166-1 alpha-2 code."""
