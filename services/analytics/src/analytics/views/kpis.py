"""What is shown of KPIs."""

from datetime import date, datetime
from uuid import UUID

from analytics.views.freshness import FreshnessView
from contracts.analytics import Direction, KpiMeasure, KpiOutcome, KpiPeriod, KpiState, KpiSubject, KpiValue
from tailrace.core.values.money import Currency
from tailrace.http.routing import ResourceView, View


class KpiView(ResourceView):
    code: str
    """What the KPI is known by."""
    name: str
    """What people call it."""
    measure: KpiMeasure
    """What is measured."""
    currency: Currency | None
    """Which currency is counted, for an amount; null for what has none."""
    period: KpiPeriod
    """How long is measured each time."""
    subject: KpiSubject
    """Of whom it is measured."""
    subject_id: UUID | None
    """The person or the team; null for the company."""
    target: KpiValue
    """What is to be reached, as it was said last; `targets` has from when on."""
    near: KpiValue
    """From where on it is near."""
    direction: Direction
    """Whether more is better, or less."""


class KpiTargetView(View):
    """What a KPI is to come to from a day on, until another target holds."""

    number: int
    """Which of the KPI's targets, in the order in which they were set: 1 is the first, which counts for the days before it too."""
    valid_from: date
    """The first day on which it holds. Of several, the one that begins last holds."""
    set_at: datetime
    """When it was set: as of earlier moments it is not known."""
    target: KpiValue
    """What is to be reached."""
    near: KpiValue
    """From where on it is near."""
    direction: Direction
    """Whether more is better, or less."""


class KpiTargetsView(View):
    """The targets of a KPI."""

    items: list[KpiTargetView]
    """In the order in which they were set."""


class ScoreView(View):
    """What a KPI came to in a period."""

    begins_on: date
    """The first day."""
    ends_on: date
    """The last day."""
    value: KpiOutcome | None
    """What it came to; null where there is none."""
    target: KpiValue
    """What was to be reached: by the target that held on the period's last day, or at `as_of` where that was earlier."""
    state: KpiState
    """How that stands to the target."""
    over: bool
    """Whether the period is over."""
    records: str | None
    """Where the records are listed that it adds up: of a share or an average, all that it is of. Null where who asks does not see all of them."""


class ScorecardView(View):
    """A KPI period by period, the newest last."""

    kpi: KpiView
    """What is measured."""
    as_of: datetime
    """The moment that it is known at, in UTC."""
    scores: list[ScoreView]
    """One for each period."""
    freshness: FreshnessView
    """How far each topic was read when this was answered."""


class KpiResultView(ResourceView):
    """What was recorded of a period: the newest of what `epm.kpi.updated` said."""

    kpi_id: UUID
    """What was measured."""
    begins_on: date
    """The first day of the period."""
    ends_on: date
    """Its last day."""
    value: KpiOutcome | None
    """What it came to; null where there is none."""
    target: KpiValue
    """What was to be reached."""
    state: KpiState
    """How that stands to the target."""
    over: bool
    """Whether the period was over."""
    as_of: datetime
    """The moment that it was looked at, in UTC."""
