"""What clients may send to analytics."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.analytics import Direction, KpiMeasure, KpiPeriod, KpiSubject, KpiValue, Tile
from tailrace.core.fields import Code, Name
from tailrace.core.money import Currency
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


class DashboardBody(Body):
    """A dashboard as it is to be."""

    code: Code
    name: Name
    parent_id: UUID | None = None
    """The dashboard whose tiles it shows besides its own. Stays."""
    tiles: Annotated[list[Tile], Field(max_length=40)]
    """Its own tiles: in place of the parent's of the same key, and after the others."""
