"""Events of analytics, on `analytics.events`: what a company measures itself by, and what that came to (AI-BOS, EPM).

A value is a count, an amount in minor units of the currency beside it, or a share of one; what it is, the measure says.
"""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from tailrace.core.events import Event
from tailrace.core.money import Currency, Exact

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


PUBLISHED: tuple[type[Event], ...] = (KpiCreated, KpiChanged, KpiRestored, KpiDeleted, KpiUpdated)
