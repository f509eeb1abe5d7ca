"""What clients may send to analytics."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from analytics.forecasts.series import MOST_STEPS, ForecastMeasure, Step
from contracts.analytics import Direction, KpiMeasure, KpiPeriod, KpiSubject, KpiValue, Tile
from tailrace.core.values.fields import Code, Day, Name
from tailrace.core.values.money import Currency
from tailrace.http.routing import Body


class KpiBody(Body):
    """A KPI as it is to be."""

    code: Code
    name: Name
    measure: KpiMeasure
    """What is measured. Stays."""
    currency: Currency | None = None
    """Which currency is counted, for an amount; null for what has none."""
    period: KpiPeriod
    """How long is measured each time, by the calendar. Stays."""
    subject: KpiSubject = "company"
    """Of whom it is measured. Stays."""
    subject_id: UUID | None = None
    """The person or the team; null for the company. Stays."""
    target: KpiValue
    """What is to be reached: a count, an amount in minor units, a share of one, or seconds."""
    near: KpiValue
    """From where on it is near: below the target where more is better, above it where less is."""
    direction: Direction = "up"
    """Whether more is better, or less."""
    valid_from: Day | None = None
    """From which day on `target`, `near` and `direction` hold. Left out, a target that is another one holds from the first day of the running period.
    No day of a period that is over, once there is the KPI."""


class DashboardBody(Body):
    """A dashboard as it is to be."""

    code: Code
    name: Name
    parent_id: UUID | None = None
    """The dashboard whose tiles it shows besides its own. Stays."""
    tiles: Annotated[list[Tile], Field(max_length=40)]
    """Its own tiles: in place of the parent's of the same key, and after the others."""


class ForecastBody(Body):
    """What is to be forecast, and of what."""

    measure: ForecastMeasure
    """What is forecast: `revenue` is invoices less credit notes, net; `order_net` the net of confirmed `orders`; `spend` goods that were bought
    less those that went back; `quantity_issued` how much of an item was sold or used."""
    interval: Step = "month"
    """How long a step is: a week from Monday, or a month of the calendar."""
    horizon: Annotated[int, Field(ge=1, le=MOST_STEPS)] = 6
    """How many steps are forecast, the week or month that is running included."""
    as_of: Day | None = None
    """As it would have been said at the end of this day of the company's; now when left out."""
    currency: Currency | None = None
    """Of amounts: which currency, where there is something in several."""
    owner_id: UUID | None = None
    """Only what counts for this person."""
    team_id: UUID | None = None
    """Only what counts for people of this team, as it was at `as_of`."""
    customer_id: UUID | None = None
    """Only what is about this customer."""
    item_id: UUID | None = None
    """Only this item. Quantities are of one."""
    warehouse_id: UUID | None = None
    """Only what came into this warehouse, or left it."""
    supplier_id: UUID | None = None
    """Only what this supplier delivered: the key of a row of spend by supplier."""
