"""/v1/kpis: what the company measures itself by, and what that came to."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import select

from analytics import freshness, kpis, targets
from analytics.bodies import KpiBody
from analytics.kpis import Kpi, KpiResult
from analytics.projections import dates, days, memberships, movements, people, teams
from analytics.routes.reports import AsOf, BeforeDay, FirstDay, MeasuredRecords
from analytics.schedules import nights
from analytics.scopes import KpiReader, KpiWriter
from analytics.views.kpis import KpiResultView, KpiTargetsView, KpiView, ScorecardView
from analytics.views.reports import ReportRecordsView
from tailrace.core import clock
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, equal
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/kpis",
    tag="kpis",
    about="What the company measures itself by, with targets.",
    reads=[movements, memberships, days, dates, teams, people, nights],
)
Results = Annotated[PageRequest, listed(KpiResult, any_of(KpiResult.state), sort=[KpiResult.begins_on])]

master_data_routes(
    router,
    Kpi,
    "a KPI",
    body=KpiBody,
    view=KpiView,
    reader=KpiReader,
    writer=KpiWriter,
    filters=[any_of(Kpi.measure), equal(Kpi.subject), equal(Kpi.subject_id)],
)


@router.get("/{kpi_id}/scorecard", response_model=ScorecardView)
async def read_scorecard(
    request: Request,
    tx: Tx,
    who: KpiReader,
    kpi_id: UUID,
    begin: FirstDay = None,
    until: BeforeDay = None,
    as_of: AsOf = None,
) -> dict[str, Any]:
    """What the KPI came to, period by period, against its target: the last twelve periods, unless days are given."""
    stamp = await freshness.stamp(tx, request)
    found = await kpis.scorecard(tx, await tx.find(Kpi, kpi_id), begin, until, as_of)
    return {**found, "freshness": stamp}


@router.get("/{kpi_id}/targets", response_model=KpiTargetsView)
async def read_kpi_targets(tx: Tx, who: KpiReader, kpi_id: UUID) -> dict[str, Any]:
    """What the KPI is and was to come to, and from which day on."""
    await tx.find(Kpi, kpi_id)
    return {"items": await targets.every(tx, kpi_id)}


@router.get("/{kpi_id}/results", response_model=Page[KpiResultView])
async def list_kpi_results(tx: Tx, who: KpiReader, kpi_id: UUID, page: Results) -> Listing[KpiResult]:
    """What was recorded of each period."""
    await tx.find(Kpi, kpi_id)
    return await paginate(tx, select(KpiResult).where(KpiResult.kpi_id == kpi_id), page)


@router.get("/{kpi_id}/records", response_model=ReportRecordsView)
async def read_kpi_records(
    request: Request,
    tx: Tx,
    who: KpiReader,
    kpi_id: UUID,
    page: MeasuredRecords,
    begin: FirstDay = None,
    until: BeforeDay = None,
    as_of: AsOf = None,
) -> dict[str, Any]:
    """What the KPI adds up in some days, row by row: `records` of the scorecard leads here. The period that is running, unless days are given."""
    query = await kpis.records(tx, await tx.find(Kpi, kpi_id), begin, until, as_of)
    return await freshness.page_of_records(tx, request, query, page)


@router.post("/{kpi_id}/measure", response_model=KpiResultView)
async def measure_kpi(tx: Tx, who: KpiWriter, match: IfMatch, kpi_id: UUID) -> KpiResult:
    """Measure the running period, and the one before, now; the nights do so by themselves."""
    return await kpis.measure(tx, await tx.load(Kpi, kpi_id, match), clock.now())
