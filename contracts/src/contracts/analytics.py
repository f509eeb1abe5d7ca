"""Events of analytics, on `analytics.events`: what a company measures itself by, and what that came to (AI-BOS, EPM).

A value is a count, an amount in minor units of the currency beside it, or a share of one; what it is, the measure says.
"""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from tailrace.core.events import Event
from tailrace.core.values.fields import Name
from tailrace.core.values.money import Currency, Exact
from tailrace.core.values.wire import WireModel

KpiMeasure = Literal[
    "orders_confirmed",
    "orders_cancelled",
    "order_net_confirmed",
    "order_net_shipped",
    "order_amount_invoiced",
    "order_amount_paid",
    "quotes_sent",
    "quotes_accepted",
    "quote_acceptance",
    "opportunities_won",
    "opportunity_amount_won",
    "opportunity_win_rate",
    "customers_added",
    "meetings_held",
    "tasks_completed",
    "tasks_on_time_rate",
    "approvals_answered",
    "approval_average_seconds",
]
"""What can be measured. Shares and averages have no value in a period in which nothing of their kind ended."""
KpiPeriod = Literal["day", "week", "month", "quarter"]
KpiSubject = Literal["company", "person", "team"]
Direction = Literal["up", "down"]
"""Whether more is better, or less."""
KpiState = Literal["none", "missed", "near", "met"]
"""How a value stands to its target; `none` where there is no value."""
KpiValue = Annotated[Exact, Field(ge=0, max_digits=24, decimal_places=6, examples=["120000"])]
"""What is to be reached: a count, an amount in minor units, a share of one or seconds."""
KpiOutcome = Annotated[Exact, Field(max_digits=24, decimal_places=6, examples=["118500"])]
"""What was reached; below zero where more was taken back than came."""


class KpiDefinitionEvent(Event):
    topic: ClassVar[str] = "analytics.events"
    publisher: ClassVar[str] = "analytics"

    kpi_id: UUID
    code: str


class KpiDescription(KpiDefinitionEvent):
    """The whole of a definition. `subject_id` is the person or the team; null for the company. Created, updated and restored say the same."""

    name: str
    measure: KpiMeasure
    currency: Currency | None = None
    period: KpiPeriod
    subject: KpiSubject
    subject_id: UUID | None = None
    target: KpiValue
    near: KpiValue
    direction: Direction
    valid_from: date | None = None
    """From which day on the target holds, where that was said; null for one that holds from the period on in which it was set, or was before."""


class KpiCreated(KpiDescription):
    """There is a new KPI."""

    type: ClassVar[str] = "epm.kpi_definition.created"


class KpiChanged(KpiDescription):
    """The KPI is defined otherwise now."""

    type: ClassVar[str] = "epm.kpi_definition.updated"


class KpiRestored(KpiDescription):
    """The KPI was deleted and is back, as it was."""

    type: ClassVar[str] = "epm.kpi_definition.restored"


class KpiDeleted(KpiDefinitionEvent):
    """The KPI is gone; its code is free again."""

    type: ClassVar[str] = "epm.kpi_definition.deleted"


class KpiUpdated(Event):
    """What a KPI came to in a period is different now, or how that stands to its target. `previous_state` is null the first time."""

    topic: ClassVar[str] = "analytics.events"
    publisher: ClassVar[str] = "analytics"
    type: ClassVar[str] = "epm.kpi.updated"

    kpi_result_id: UUID
    kpi_id: UUID
    code: str
    measure: KpiMeasure
    currency: Currency | None = None
    subject: KpiSubject
    subject_id: UUID | None = None
    begins_on: date
    ends_on: date
    value: KpiOutcome | None
    target: KpiValue
    state: KpiState
    previous_state: KpiState | None
    over: bool
    """Whether the period was over when it was looked at."""
    as_of: datetime


class Tile(WireModel):
    """What a dashboard shows in one place: a measure over the last periods, the running one included."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", examples=["net-by-month"])]
    """What tells it apart. One of the same key takes the place of the parent's."""
    title: Name
    measure: KpiMeasure
    """What is measured, as of KPIs."""
    currency: Currency | None = None
    """Which currency is counted, for an amount; null for what has none."""
    period: KpiPeriod = "month"
    """How long each part is."""
    periods: Annotated[int, Field(ge=1, le=120)] = 12
    """How many parts."""
    hidden: bool = False
    """Not shown here and below, though the parent shows it."""


class DashboardEvent(Event):
    topic: ClassVar[str] = "analytics.events"
    publisher: ClassVar[str] = "analytics"

    dashboard_id: UUID
    code: str


class DashboardDescription(DashboardEvent):
    """The whole of a dashboard: its own `tiles`, on top of those of `parent_id`. Created, updated and restored say the same."""

    name: str
    parent_id: UUID | None = None
    tiles: list[Tile]


class DashboardCreated(DashboardDescription):
    """There is a new dashboard."""

    type: ClassVar[str] = "analytics.dashboard.created"


class DashboardUpdated(DashboardDescription):
    """The dashboard has other tiles, or another name."""

    type: ClassVar[str] = "analytics.dashboard.updated"


class DashboardRestored(DashboardDescription):
    """The dashboard was deleted and is back, as it was."""

    type: ClassVar[str] = "analytics.dashboard.restored"


class DashboardDeleted(DashboardEvent):
    """The dashboard is gone; its code is free again."""

    type: ClassVar[str] = "analytics.dashboard.deleted"


PUBLISHED: tuple[type[Event], ...] = (
    KpiCreated,
    KpiChanged,
    KpiRestored,
    KpiDeleted,
    KpiUpdated,
    DashboardCreated,
    DashboardUpdated,
    DashboardRestored,
    DashboardDeleted,
)
