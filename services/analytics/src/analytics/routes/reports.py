"""/v1/reports: the four reports of the CRM design, and the records behind each figure."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from analytics import charts, figures, freshness, funnel, periods, reports
from analytics.charts import Charted, Said
from analytics.funnel import Stage, Start
from analytics.movements import Document, Movement
from analytics.periods import Interval, Part
from analytics.pictures import Picture, picture, pixels
from analytics.projections import days, memberships, movements, teams
from analytics.reports import Asked
from analytics.scopes import Reader
from analytics.shown import APPROVALS, CUSTOMERS, SALES, TASKS, Report
from analytics.views.reports import (
    ApprovalStatisticsView,
    CohortsView,
    CustomerStatisticsView,
    FunnelRecordsView,
    FunnelView,
    ReportRecordsView,
    SalesSummaryView,
    TaskCompletionView,
)
from analytics.wording import Language
from tailrace.core import clock
from tailrace.core.values.days import Calendar
from tailrace.core.values.fields import Day, MomentOrDay, Text
from tailrace.core.values.money import Currency
from tailrace.http.files import exports
from tailrace.http.files.paper import Pixels
from tailrace.http.lists.filters import any_of
from tailrace.http.lists.pagination import PageRequest, listed
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/reports",
    tag="reports",
    about="What managers ask, as of now and of any past day, with the records behind each figure.",
    reads=[movements, memberships, days, teams],
)
From = Annotated[
    Day | None,
    Query(
        alias="from",
        description="The first of the company's days; of this month, or of that of `until`, when left out.",
    ),
]
Until = Annotated[
    Day | None, Query(description="Before this day of the company's; to the end of the month, when left out.")
]
FirstDay = Annotated[Day | None, Query(alias="from", description="The first of the company's days.")]
BeforeDay = Annotated[Day | None, Query(description="Before this day of the company's.")]
"""Where an operation says itself which days are meant when they are left out."""
Cut = Annotated[
    Interval, Query(description="How the days are cut: weeks begin on Monday, quarters are the calendar's.")
]
AsOf = Annotated[
    MomentOrDay | None,
    Query(
        description="What was known then: at this moment, or at the end of this day of the company's; now when left out."
    ),
]
Owner = Annotated[UUID | None, Query(description="Only what counts for this person.")]
Team = Annotated[UUID | None, Query(description="Only what counts for people of this team, as it was at `as_of`.")]
Customer = Annotated[UUID | None, Query(description="Only what is about this customer.")]
OfCurrency = Annotated[Currency | None, Query(description="Only what is in this currency.")]
Records = Annotated[PageRequest, listed(Movement, sort=[Movement.at, Movement.known_at])]
MeasuredRecords = Annotated[
    PageRequest, listed(Movement, any_of(Movement.measure), sort=[Movement.at, Movement.known_at])
]
"""Of a figure of several measures."""
Spoken = Annotated[Language, Query(description="The language of what the picture says by itself.")]
Reached = Annotated[PageRequest, listed(Document, sort=[Document.last_at])]


async def _filters(
    tx: Tx,
    begin: From = None,
    until: Until = None,
    as_of: AsOf = None,
    owner_id: Owner = None,
    team_id: Team = None,
    customer_id: Customer = None,
) -> tuple[Asked, Calendar]:
    said = {"owner_id": owner_id, "team_id": team_id, "customer_id": customer_id}
    return await reports.asked_of(tx, begin, until, as_of, **said)


Filters = Annotated[tuple[Asked, Calendar], Depends(_filters)]


async def _answered(
    request: Request, tx: Tx, report: Report, filters: Filters, **said: Any
) -> tuple[Any, dict[str, Any]]:
    """What a report found, and what every view of one shows. The stamp is read first: the rows hold at least what it says."""
    stamp = await freshness.stamp(tx, request)
    asked, calendar = filters
    found = await figures.answer(tx, report, replace(asked, **said), calendar, request.app.state.engine)
    shown = {
        **figures.heading(found),
        "rows": figures.rows_of(report, found),
        "standing": figures.standing_rows(report, found),
        "freshness": stamp,
    }
    return found, shown


@router.get("/sales-summary", response_model=SalesSummaryView)
async def read_sales_summary(
    request: Request,
    tx: Tx,
    who: Reader,
    filters: Filters,
    interval: Cut = "whole",
    by: Annotated[
        Literal["company", "person", "team", "customer"], Query(description="What the rows are of.")
    ] = "company",
    currency: OfCurrency = None,
) -> dict[str, Any]:
    """Orders, quotes, opportunities, invoices and payments, by the day on which each thing happened; never two currencies in one sum."""
    _, shown = await _answered(request, tx, SALES, filters, interval=interval, by=by, currency=currency)
    return shown


@router.get("/customer-statistics", response_model=CustomerStatisticsView)
async def read_customer_statistics(
    request: Request,
    tx: Tx,
    who: Reader,
    filters: Filters,
    interval: Cut = "whole",
    by: Annotated[
        Literal["company", "person", "team", "status", "segment"], Query(description="What the rows are of.")
    ] = "company",
) -> dict[str, Any]:
    """Customers that came and went, how many there are, and how many ordered."""
    found, shown = await _answered(request, tx, CUSTOMERS, filters, interval=interval, by=by)
    told: dict[Any, int] = {}
    if by in {"company", "person", "team"}:
        told = await reports.customers_who(tx, "order_confirmed", found.asked, found.bounds)
    shown["rows"] = figures.with_ordering(found, shown["rows"], told, known=by in {"company", "person", "team"})
    return shown


@router.get("/approval-statistics", response_model=ApprovalStatisticsView)
async def read_approval_statistics(
    request: Request,
    tx: Tx,
    who: Reader,
    filters: Filters,
    interval: Cut = "whole",
    by: Annotated[Literal["company", "person", "team", "kind"], Query(description="What the rows are of.")] = "company",
) -> dict[str, Any]:
    """Approvals that were asked for, how they were answered, and how long that took."""
    found, shown = await _answered(request, tx, APPROVALS, filters, interval=interval, by=by)
    figures.add_averages(found, shown["rows"])
    return shown


@router.get("/task-completion", response_model=TaskCompletionView)
async def read_task_completion(
    request: Request,
    tx: Tx,
    who: Reader,
    filters: Filters,
    interval: Cut = "whole",
    by: Annotated[
        Literal["company", "person", "team", "customer", "priority"], Query(description="What the rows are of.")
    ] = "company",
) -> dict[str, Any]:
    """Tasks that were made, done, done on time or late, and what is open; meetings besides."""
    _, shown = await _answered(request, tx, TASKS, filters, interval=interval, by=by)
    for row in shown["rows"]:
        on_time, late = row["on_time"]["count"], row["late"]["count"]
        row["on_time_rate"] = figures.share_of(on_time, on_time + late)
    return shown


@router.get("/funnel", response_model=FunnelView)
async def read_funnel(
    request: Request,
    tx: Tx,
    who: Reader,
    filters: Filters,
    start: Annotated[Start, Query(description="The first stage: what began in these days.")] = "lead",
) -> dict[str, Any]:
    """How much of what began in some days got how far, from the lead to the money, whenever it did."""
    stamp = await freshness.stamp(tx, request)
    asked, calendar = filters
    parts = periods.cut(asked.begin, asked.until, "whole")
    stages = await funnel.funnel(tx, funnel.Reaching(asked, periods.moments(calendar, parts), start))
    return {**_whole(parts, asked), "stages": stages, "freshness": stamp}


@router.get("/funnel/records", response_model=FunnelRecordsView)
async def read_funnel_records(
    request: Request,
    tx: Tx,
    who: Reader,
    filters: Filters,
    page: Reached,
    stage: Annotated[
        Stage | None, Query(description="Which stage's documents; those of the first, when left out.")
    ] = None,
    start: Annotated[Start, Query(description="The first stage: what began in these days.")] = "lead",
    led: Annotated[
        bool | None, Query(description="Only those that led to the next stage, or only those that did not.")
    ] = None,
) -> dict[str, Any]:
    """The documents that a stage of the funnel counts, one by one: `records` and `lost_records` of the stages lead here."""
    stamp = await freshness.stamp(tx, request)
    asked, calendar = filters
    bounds = periods.moments(calendar, periods.cut(asked.begin, asked.until, "whole"))
    with exports.beside(partial(freshness.of_file, stamp)):
        found = await funnel.documents(tx, funnel.Reaching(asked, bounds, start), stage or start, led, page)
    return {"items": found.items, "next_cursor": found.next_cursor, "freshness": stamp}


@router.get("/cohorts", response_model=CohortsView)
async def read_cohorts(
    request: Request,
    tx: Tx,
    who: Reader,
    filters: Filters,
    interval: Annotated[Literal["month", "quarter"], Query(description="How long a part is.")] = "month",
) -> dict[str, Any]:
    """Customers by when they first had a confirmed order, and how many of them ordered again, part by part."""
    stamp = await freshness.stamp(tx, request)
    asked, calendar = filters
    parts = periods.cut(asked.begin, asked.until, interval)
    found = await funnel.cohorts(tx, asked, parts, periods.moments(calendar, parts))
    return {**_whole(parts, asked), "interval": interval, "cohorts": found, "freshness": stamp}


@router.get("/cohorts/records", response_model=ReportRecordsView)
async def read_cohort_records(
    request: Request,
    tx: Tx,
    who: Reader,
    filters: Filters,
    page: Records,
    first_from: Annotated[
        Day | None, Query(description="Only of customers who first ordered on this day of the company's or later.")
    ] = None,
    first_until: Annotated[
        Day | None, Query(description="Only of customers who first ordered before this day.")
    ] = None,
) -> dict[str, Any]:
    """The confirmed orders of customers in some days, row by row: `records` of the parts of a cohort leads here."""
    asked, calendar = filters
    bounds = periods.moments(calendar, periods.cut(asked.begin, asked.until, "whole"))
    since, until = (None if day is None else calendar.first_moment(day) for day in (first_from, first_until))
    return await freshness.page_of_records(tx, request, funnel.cohort_records(asked, bounds, (since, until)), page)


async def _sales_drawn(
    request: Request,
    tx: Tx,
    filters: Filters,
    interval: Cut = "month",
    currency: OfCurrency = None,
    figure: Annotated[Charted, Query(description="Which figure of the summary is drawn.")] = "confirmed",
    language: Spoken = "en",
) -> str:
    asked, calendar = filters
    asked = replace(asked, interval=interval, currency=currency)
    parts = periods.cut(asked.begin, asked.until, interval)
    bounds = periods.moments(calendar, parts)
    said = Said(language, freshness.in_words(await freshness.stamp(tx, request), language))
    sums = await reports.happened(tx, [SALES.happened[figure]], asked, bounds, True, request.app.state.engine)
    return charts.of_sums(figure, asked, parts, sums, said)


SalesDrawn = Annotated[str, Depends(_sales_drawn)]


@router.get("/sales-summary.svg", response_class=Picture, response_model=None)
async def read_sales_chart(tx: Tx, who: Reader, drawn: SalesDrawn) -> Picture:
    """A figure of the sales summary as a picture: bars for the parts of the days, in a panel for each currency, and how fresh they are."""
    return picture("sales", drawn)


@router.get("/sales-summary.png", response_class=Pixels, response_model=None)
async def read_sales_image(tx: Tx, who: Reader, drawn: SalesDrawn) -> Pixels:
    """The same picture as a PNG, for what shows no SVG."""
    return pixels("sales", drawn)


def _whole(parts: Sequence[Part], asked: Asked) -> dict[str, Any]:
    as_of = asked.as_of or clock.now()
    return {"begins_on": parts[0].begins_on, "ends_on": parts[-1].ends_on, "as_of": as_of}


def _records_route(router: APIRouter, report: Report, bys: Sequence[str]) -> None:
    """Add the list of the records behind the figures of a report."""
    shown = tuple(sorted(report.measures))
    measure_of: Any = Annotated[
        Literal[shown] | None,
        Query(description="The measure of the figure; whatever happened, when left out."),
    ]
    by_of: Any = Annotated[Literal[tuple(bys)], Query(description="What `key` is the key of.")]

    async def records(
        request: Request,
        tx: Tx,
        who: Reader,
        filters: Filters,
        page: Records,
        measure: Any = None,
        by: Any = "company",
        key: Annotated[Text | None, Query(description="The row's key; `none` for nobody.")] = None,
        currency: OfCurrency = None,
    ) -> dict[str, Any]:
        asked, calendar = filters
        asked = replace(asked, by=by, currency=currency)
        bounds = periods.moments(calendar, periods.cut(asked.begin, asked.until, "whole"))
        query = reports.records(report, measure, asked, bounds, key)
        return await freshness.page_of_records(tx, request, query, page)

    noun = report.name.replace("-", "_")
    records.__name__ = records.__qualname__ = f"read_{noun}_records"
    records.__doc__ = f"What a figure of {report.path} adds up, row by row: `records` of the figure leads here."
    known = {"measure": measure_of, "by": by_of}
    records.__annotations__ = {name: known.get(name, hint) for name, hint in records.__annotations__.items()}
    router.add_api_route(f"/{report.name}/records", records, methods=["GET"], response_model=ReportRecordsView)


_records_route(router, SALES, ["company", "person", "team", "customer"])
_records_route(router, CUSTOMERS, ["company", "person", "team", "status", "segment"])
_records_route(router, APPROVALS, ["company", "person", "team", "kind"])
_records_route(router, TASKS, ["company", "person", "team", "customer", "priority"])
