"""What is shown of reports, and of the records behind their figures."""

from datetime import date, datetime
from uuid import UUID

from analytics.funnel import Stage
from analytics.measures import Kind, Measure
from analytics.periods import Interval
from analytics.reports import By
from analytics.views.freshness import FreshnessView
from tailrace.core.values.money import Currency, Minor, MinorTotal, Rate, SignedQuantity
from tailrace.http.routing import View


class AmountFigure(View):
    count: int
    """How many documents, or steps of one such as shipments."""
    amount: MinorTotal
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
    """How far each topic was read when this was answered."""


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
    """What may still come of opportunities, with the amounts that they have now."""


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


class CurrencyAmount(View):
    currency: Currency
    """What the amount is in, an ISO 4217 code."""
    amount: MinorTotal
    """What it comes to, in minor units."""


class FunnelStageView(View):
    """How much got to a stage."""

    stage: Stage
    """What stage it is; of orders, something was invoiced or paid in the last two."""
    count: int
    """How many documents got here."""
    amounts: list[CurrencyAmount]
    """What they come to, by currency."""
    of_previous: Rate | None
    """The share of the stage before that led here; null for the first stage, and of nothing."""
    lost: int | None
    """How many of the stage before did not lead here, or not yet; null for the first stage."""
    records: str
    """Where the documents are listed that it counts."""
    lost_records: str | None
    """Where those of the stage before are listed that did not lead here; null for the first stage."""


class FunnelView(View):
    """What became of what began in some days."""

    begins_on: date
    """The first day."""
    ends_on: date
    """The last day."""
    as_of: datetime
    """The moment that it is known at, in UTC."""
    stages: list[FunnelStageView]
    """From the first on, in their order."""
    freshness: FreshnessView
    """How far each topic was read when this was answered."""


class CohortPart(View):
    """What customers of a cohort ordered in a part of the days."""

    begins_on: date
    """The first day of the part."""
    customers: int
    """How many of them ordered in it."""
    rate: Rate | None
    """That as a share of the cohort."""
    amounts: list[CurrencyAmount]
    """What their confirmed orders come to, net of tax, by currency."""
    records: str
    """Where the records of these orders are listed."""


class CohortView(View):
    """Customers whose first confirmed order was in the same part of the days."""

    begins_on: date
    """The first day of the part in which they first ordered."""
    customers: int
    """How many they are."""
    parts: list[CohortPart]
    """Each part in which any of them ordered, from that one on."""


class CohortsView(View):
    """Who came back."""

    begins_on: date
    """The first day."""
    ends_on: date
    """The last day."""
    interval: Interval
    """How long a part is."""
    as_of: datetime
    """The moment that it is known at, in UTC."""
    cohorts: list[CohortView]
    """Each part in which customers first ordered."""
    freshness: FreshnessView
    """How far each topic was read when this was answered."""


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
    item_id: UUID | None
    """Of goods: which of the catalog."""
    warehouse_id: UUID | None
    """Where goods came in, or left."""
    quantity: SignedQuantity
    """How much of the item it adds, in its base unit."""
    event_id: UUID
    """The event that said so: a trace leads on from it."""


class ReportRecordsView(View):
    """Some of the rows that a figure adds up."""

    items: list[ReportRecordView]
    """What is on this page, in the order asked for."""
    next_cursor: str | None
    """To be sent as `cursor` for what follows; null at the end."""
    freshness: FreshnessView
    """How far each topic was read when this page was answered."""


class FunnelRecordView(View):
    """A document that got to a stage."""

    id: UUID
    """The document's id."""
    kind: Kind
    """What kind of document it is."""
    number: str | None
    """What people know it by, where it has a number."""
    path: str
    """Where it is read, by those who may."""
    amounts: list[CurrencyAmount]
    """What it adds to the stage, by currency."""


class FunnelRecordsView(View):
    """Some of the documents that a stage of a funnel counts."""

    items: list[FunnelRecordView]
    """What is on this page, in the order asked for."""
    next_cursor: str | None
    """To be sent as `cursor` for what follows; null at the end."""
    freshness: FreshnessView
    """How far each topic was read when this page was answered."""
