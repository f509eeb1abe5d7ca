"""What is shown of reports and KPIs."""

from datetime import date, datetime
from uuid import UUID

from analytics.measures import Kind, Measure
from analytics.periods import Interval
from analytics.reports import By
from contracts.analytics import Direction, KpiMeasure, KpiPeriod, KpiState, KpiSubject, KpiValue
from tailrace.core.money import Currency, Minor, Rate
from tailrace.http.routing import ResourceView, View


class HeardView(View):
    """How far one topic was read."""

    topic: str
    """The topic, which one service publishes."""
    event_id: UUID | None
    """The newest event of the company's that was applied; null before there was any."""
    type: str | None
    """What that event is called."""
    committed_at: datetime | None
    """When it was recorded by the service that published it, in UTC."""
    age_seconds: int | None
    """How old it is. On a quiet topic this grows, and nothing is missing."""
    partition: int | None
    """Where it stands in the topic."""
    offset: int | None
    """Where it stands in the partition."""
    behind: int | None
    """How many events of the topic, of all companies, are still to be read; null while nobody can tell."""
    complete_until: datetime | None
    """What happened in that service until then is in the report, in UTC; null while nobody can tell."""


class FreshnessView(View):
    """How fresh an answer is. `complete_until` says what is in it for certain; ages say only when something happened last."""

    at: datetime
    """When the answer was read, in UTC."""
    complete_until: datetime | None
    """What happened anywhere until then is in the report: the earliest of the topics'. Null while nobody can tell."""
    set_aside: int
    """How many events of the company's could not be applied and wait for somebody: what they said is missing, whatever else stands here."""
    topics: list[HeardView]
    """Each topic that reports are made of."""


class AmountFigure(View):
    count: int
    """How many documents, or steps of one such as shipments."""
    amount: Minor
    """What they come to, in the currency of the row."""
    records: str
    """Where the records are listed that it adds up."""


class CountFigure(View):
    count: int
    """How many."""
    records: str
    """Where the records are listed that it adds up."""


class DurationFigure(CountFigure):
    average_seconds: int | None
    """How long it took on average, in seconds, rounded half up; null of none."""


class ReportRow(View):
    begins_on: date
    """The first of its days."""
    ends_on: date
    """The last of its days."""
    key: str | None
    """Whom it is of: the id of the person, team or customer, or the word for what it is by; null for nobody, and for the whole company."""


class StandingRow(View):
    key: str | None
    """Whom it is of, as in the other rows."""


class ReportView(View):
    """What was asked."""

    begins_on: date
    """The first day."""
    ends_on: date
    """The last day."""
    interval: Interval
    """How the days are cut."""
    by: By
    """What the rows are of."""
    as_of: datetime
    """The moment that it is known at, in UTC."""
    standing_at: datetime
    """The moment at which what stands was counted, in UTC: the end of the last day, or earlier, when that has not come."""
    freshness: FreshnessView
    """What is in it."""


class SalesRow(ReportRow):
    """What happened in some days, in one currency. Orders and quotes are net of tax; what was invoiced and paid of orders includes it."""

    currency: Currency | None
    """What every amount of the row is in, an ISO 4217 code; null where nothing has an amount."""
    placed: AmountFigure
    """Orders by the day on which they were placed, drafts and cancelled ones included."""
    confirmed: AmountFigure
    """Orders by the day on which they became binding."""
    cancelled: AmountFigure
    """Orders by the day on which they were cancelled, unless they were reinstated."""
    shipped: AmountFigure
    """What left, each time that something did."""
    invoiced: AmountFigure
    """What was invoiced of orders, less what was taken back."""
    paid: AmountFigure
    """What was paid of orders."""
    quotes_made: AmountFigure
    """Revisions of quotes that were drafted."""
    quotes_sent: AmountFigure
    """Revisions of quotes that customers were sent."""
    quotes_accepted: AmountFigure
    """Quotes that were accepted, by what was taken of them."""
    quotes_declined: AmountFigure
    """Quotes that were declined."""
    opportunities_won: AmountFigure
    """Opportunities that were won."""
    opportunities_lost: AmountFigure
    """Opportunities that were lost."""
    invoices_issued: AmountFigure
    """Invoices of the books, net; nobody's own."""
    credit_notes_issued: AmountFigure
    """Credit notes of the books, net; nobody's own."""
    payments_received: AmountFigure
    """What came in; nobody's own."""
    payments_reversed: AmountFigure
    """What went back; nobody's own."""


class SalesStandingRow(StandingRow):
    currency: Currency | None
    """What every amount of the row is in."""
    opportunities_open: AmountFigure
    """Opportunities that are open."""


class SalesSummaryView(ReportView):
    rows: list[SalesRow]
    """One for each part, key and currency."""
    standing: list[SalesStandingRow]
    """What stands, for each key and currency."""


class CustomerRow(ReportRow):
    added: CountFigure
    """Customers that are new."""
    deleted: CountFigure
    """Customers that were deleted and did not come back."""
    ordering: int | None
    """How many different customers have an order that was confirmed in these days; null where rows are by what orders do not have."""


class CustomerStandingRow(StandingRow):
    customers: CountFigure
    """Customers that there are, those included that stand for another by now."""


class CustomerStatisticsView(ReportView):
    rows: list[CustomerRow]
    """One for each part and key."""
    standing: list[CustomerStandingRow]
    """How many there are."""


class ApprovalRow(ReportRow):
    requested: CountFigure
    """How often an approval was asked for: each round counts."""
    approved: DurationFigure
    """How often it was given, and how long that took."""
    rejected: DurationFigure
    """How often it was refused."""
    recalled: DurationFigure
    """How often it was not wanted any more."""
    voided: DurationFigure
    """How often it came to count no more."""
    average_seconds: int | None
    """How long it took on average until it was approved or rejected, rounded half up."""


class ApprovalStandingRow(StandingRow):
    open: CountFigure
    """What waits for an answer."""


class ApprovalStatisticsView(ReportView):
    rows: list[ApprovalRow]
    """One for each part and key; they belong to the one who asked."""
    standing: list[ApprovalStandingRow]
    """What is open."""


class TaskRow(ReportRow):
    created: CountFigure
    """Tasks that are new."""
    completed: DurationFigure
    """Tasks that were done, and how long that took from when they were made."""
    on_time: CountFigure
    """Of these, those that were due at some time and done before it."""
    late: CountFigure
    """Of these, those that were done when that time had come."""
    cancelled: CountFigure
    """Tasks that were cancelled."""
    meetings_held: CountFigure
    """Meetings that took place, by their beginning."""
    meetings_cancelled: CountFigure
    """Meetings that were cancelled."""
    on_time_rate: Rate | None
    """The share of those that were done on time, of all that were due and done."""


class TaskStandingRow(StandingRow):
    open: CountFigure
    """Tasks that are not done."""
    overdue: CountFigure
    """Of these, those whose time has come."""
    meetings_planned: CountFigure
    """Meetings that neither took place nor were cancelled."""


class TaskCompletionView(ReportView):
    rows: list[TaskRow]
    """One for each part and key."""
    standing: list[TaskStandingRow]
    """What is open."""


class ReportRecordView(View):
    """A row that a figure adds up. Below zero, it takes back what an earlier one added."""

    id: UUID
    """Made of the event that it comes of; later ones sort behind earlier ones."""
    measure: Measure
    """What it adds to."""
    at: datetime
    """When it counts, in UTC."""
    known_at: datetime
    """When the event happened that said so, in UTC."""
    kind: Kind
    """What kind of document it is of."""
    document_id: UUID
    """The document's id."""
    document_number: str | None
    """What people know the document by, where it has a number."""
    path: str
    """Where the document is read, by those who may."""
    owner_id: UUID | None
    """Whom it counts for."""
    customer_id: UUID | None
    """Which customer it is about."""
    currency: Currency | None
    """What the amount is in."""
    count: int
    """How many it adds."""
    amount: Minor
    """What it adds."""
    seconds: int
    """How long it took, in whole seconds, of what takes time."""
    event_id: UUID
    """The event that said so: a trace leads on from it."""


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
    """What is to be reached."""
    near: KpiValue
    """From where on it is near."""
    direction: Direction
    """Whether more is better, or less."""


class ScoreView(View):
    """What a KPI came to in a period."""

    begins_on: date
    """The first day."""
    ends_on: date
    """The last day."""
    value: KpiValue | None
    """What it came to; null where there is none."""
    target: KpiValue
    """What was to be reached."""
    state: KpiState
    """How that stands to the target."""
    over: bool
    """Whether the period is over."""


class ScorecardView(View):
    """A KPI period by period, the newest last."""

    kpi: KpiView
    """What is measured."""
    as_of: datetime
    """The moment that it is known at, in UTC."""
    scores: list[ScoreView]
    """One for each period."""
    freshness: FreshnessView
    """What is in it."""


class KpiResultView(ResourceView):
    """What was recorded of a period: the newest of what `epm.kpi.updated` said."""

    kpi_id: UUID
    """What was measured."""
    begins_on: date
    """The first day of the period."""
    ends_on: date
    """Its last day."""
    value: KpiValue | None
    """What it came to; null where there is none."""
    target: KpiValue
    """What was to be reached."""
    state: KpiState
    """How that stands to the target."""
    over: bool
    """Whether the period was over."""
    as_of: datetime
    """The moment that it was looked at, in UTC."""
