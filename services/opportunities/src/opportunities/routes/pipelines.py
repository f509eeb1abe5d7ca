"""/v1/pipelines, /v1/opportunity-reasons and /v1/forecast: what opportunities go through, why they end, and what they come to."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from sqlalchemy import select

from opportunities import forecast, sums
from opportunities.bodies.opportunities import OutcomeReasonBody, PipelineBody
from opportunities.bodies.policies import QuotaBody
from opportunities.forecast import By, Quota
from opportunities.pipelines import Pipeline, Reason
from opportunities.projections import days, people, teams
from opportunities.reactions import answers, goings, quotes, standards
from opportunities.scopes import Configurer, Reader
from opportunities.views.opportunities import BoardView, ForecastView, PipelineView, QuotaView, ReasonView
from tailrace.core.values.fields import MomentOrDay
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import equal
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

pipelines = tenant_router(
    "/v1/pipelines", tag="pipelines", about="The stages that opportunities go through.", reads=[standards, days]
)
master_data_routes(
    pipelines,
    Pipeline,
    "a pipeline",
    body=PipelineBody,
    view=PipelineView,
    reader=Reader,
    writer=Configurer,
    replaces="Replace a pipeline, whole. Opportunities have the new probabilities from now on; a forecast of a past date has those of then.",
    deletes="Delete a pipeline that no opportunity is in.",
)


@pipelines.get("/{pipeline_id}/board", response_model=BoardView)
async def read_board(tx: Tx, who: Reader, pipeline_id: UUID) -> dict[str, Any]:
    """What is open in each stage: how many, what they come to, and how long the oldest is there."""
    return {"stages": await forecast.board(tx, await tx.find(Pipeline, pipeline_id))}


reasons = tenant_router(
    "/v1/opportunity-reasons",
    tag="opportunity reasons",
    about="Why opportunities are won or lost.",
    reads=[standards],
)
master_data_routes(
    reasons,
    Reason,
    "a reason",
    body=OutcomeReasonBody,
    view=ReasonView,
    reader=Reader,
    writer=Configurer,
    filters=[equal(Reason.outcome, Literal["won", "lost"])],
)

forecasts = tenant_router(
    "/v1/forecast",
    tag="forecast",
    about="What a period brought and may bring, as it was known at any time.",
    reads=[days, people, teams, answers, quotes, goings],
)
PeriodName = Annotated[
    str,
    Query(
        pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])|-Q[1-4])?$",
        description="A month as 2026-11, a quarter of the company's year as 2026-Q4, its whole year as 2026.",
        examples=["2026-Q4"],
    ),
]
Grouping = Annotated[By, Query(description="What the rows are of.")]
AsOf = Annotated[
    MomentOrDay | None,
    Query(description="The moment that is asked about, or the end of this day of the company's; now when left out."),
]
Quotas = Annotated[PageRequest, listed(Quota, equal(Quota.owner_id), equal(Quota.period))]


@forecasts.get("", response_model=ForecastView)
async def read_forecast(
    tx: Tx, who: Reader, period: PeriodName, by: Grouping = "person", as_of: AsOf = None
) -> dict[str, Any]:
    """What was won in a period and what is open in it, never two currencies in one sum. A past date shows what was known then."""
    return await forecast.forecast(tx, period, by, as_of)


@forecasts.get("/quotas", response_model=Page[QuotaView])
async def list_quotas(tx: Tx, who: Reader, page: Quotas) -> Listing[Quota]:
    """What people are to sell."""
    return await paginate(tx, select(Quota), page)


@forecasts.put("/quotas", response_model=QuotaView)
async def replace_quota(tx: Tx, who: Configurer, match: IfMatch, body: QuotaBody) -> Quota:
    """Say what somebody is to sell in a period; said again, it counts in place of what was."""
    return await forecast.set_quota(tx, body, match)


@forecasts.post("/recount", status_code=204)
async def recount_forecast(tx: Tx, who: Configurer) -> None:
    """Count what forecasts are made of again, from the history of every opportunity. They say the same before, meanwhile and after."""
    await sums.recount(tx)
