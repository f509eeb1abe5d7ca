"""What clients may send to analytics."""

from uuid import UUID

from contracts.analytics import Direction, KpiMeasure, KpiPeriod, KpiSubject, KpiValue
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
