"""/v1/opportunities: what may come of a customer, where it stands, and how it ended."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy import Select, select

from contracts.opportunities import Category, Status
from opportunities import commands, forecast, policies
from opportunities.bodies.opportunities import (
    LoseBody,
    MoveBody,
    NewOpportunityBody,
    OpportunityBody,
    OwnerBody,
    ReopenBody,
    WinBody,
)
from opportunities.bodies.policies import ClosingBody
from opportunities.models import Opportunity
from opportunities.projections import buyers, dates, days, items, people, teams
from opportunities.reactions import answers, quotes, standards
from opportunities.scopes import Assigner, Configurer, Reader, Writer
from opportunities.views.opportunities import ClosingView, OpportunitySummary, OpportunityView, StageHistoryView
from tailrace.core.values.fields import Search
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import Deleted, any_of, any_spelled, between, by_id, equal, numbered
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.lists.searching import paginate_found
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/opportunities",
    tag="opportunities",
    about="What may come of customers, where that stands, and how it ended.",
    reads=[people, teams, buyers, items, days, dates, answers, quotes, standards],
)

_FILTERS = (
    any_of(Opportunity.status, Status),
    any_of(Opportunity.category, Category),
    any_spelled(Opportunity.stage),
    numbered(Opportunity.number),
    equal(Opportunity.pipeline_id),
    equal(Opportunity.customer_id),
    equal(Opportunity.owner_id),
    equal(Opportunity.team_id),
    equal(Opportunity.lead_id),
    equal(Opportunity.currency),
    *between(Opportunity.expected_close_on),
    *between(Opportunity.amount),
    *between(Opportunity.created_at, days),
)
_SORT = [
    Opportunity.number,
    Opportunity.name,
    Opportunity.amount,
    Opportunity.expected_close_on,
    Opportunity.created_at,
]
Words = Annotated[Search, Query(description="Words, or parts of them, of the number or the name.")]
Opportunities = Annotated[PageRequest, listed(Opportunity, by_id(Opportunity), *_FILTERS, sort=_SORT)]


def _shown(*, deleted: bool = False) -> Select[Opportunity]:
    return select(Opportunity).where(
        Opportunity.deleted_at.is_not(None) if deleted else Opportunity.deleted_at.is_(None)
    )


@router.post("", status_code=201, response_model=OpportunityView)
async def create_opportunity(tx: Tx, who: Writer, body: NewOpportunityBody) -> Opportunity:
    """Add an opportunity, in an open stage of a pipeline."""
    return await commands.create(tx, body)


@router.get("", response_model=Page[OpportunitySummary])
async def list_opportunities(
    tx: Tx, who: Reader, page: Opportunities, deleted: Deleted = False
) -> Listing[Opportunity]:
    """Opportunities."""
    return await paginate(tx, _shown(deleted=deleted), page)


@router.get("/search", response_model=Page[OpportunitySummary])
async def list_matching_opportunities(
    tx: Tx, who: Reader, page: Opportunities, q: Words | None = None
) -> Listing[Opportunity]:
    """Opportunities that have all these words, or parts of words, in their number or name."""
    return await paginate_found(tx, _shown(), page, Opportunity, q)


@router.get("/closing")
async def read_closing(tx: Tx, who: Configurer) -> ClosingView:
    """How opportunities close, and how the company counts its quarters."""
    return ClosingView.model_validate(await policies.closing(tx))


@router.put("/closing")
async def replace_closing(tx: Tx, who: Configurer, body: ClosingBody) -> ClosingView:
    """Say how opportunities close, and how the company counts its quarters."""
    await policies.replace(tx, "closing", body)
    return ClosingView.model_validate(body)


@router.get("/{opportunity_id}", response_model=OpportunityView)
async def read_opportunity(tx: Tx, who: Reader, opportunity_id: UUID) -> Opportunity:
    """One opportunity."""
    return await tx.find(Opportunity, opportunity_id)


@router.put("/{opportunity_id}", response_model=OpportunityView)
async def replace_opportunity(
    tx: Tx, who: Writer, match: IfMatch, opportunity_id: UUID, body: OpportunityBody
) -> Opportunity:
    """Replace what is said of an open opportunity. What has a route of its own stays: stage, owner, and how it ended."""
    return await commands.replace(tx, opportunity_id, match, body)


@router.delete("/{opportunity_id}", status_code=204)
async def delete_opportunity(tx: Tx, who: Writer, match: IfMatch, opportunity_id: UUID) -> None:
    """Delete an opportunity that was made by mistake; a forecast of a past date shows it nevertheless."""
    (await tx.load(Opportunity, opportunity_id, match)).delete()


@router.post("/{opportunity_id}/restore", response_model=OpportunityView)
async def restore_opportunity(tx: Tx, who: Writer, match: IfMatch, opportunity_id: UUID) -> Opportunity:
    """Take a deleted opportunity back, as it was. One that went with its customer comes back with it, by itself."""
    return await commands.restore(tx, opportunity_id, match)


@router.get("/{opportunity_id}/stages", response_model=StageHistoryView)
async def read_stage_history(tx: Tx, who: Reader, opportunity_id: UUID) -> dict[str, Any]:
    """Where the opportunity has been in its pipelines, and for how many of the company's days."""
    return {"stays": await forecast.stages_of(tx, await tx.find(Opportunity, opportunity_id))}


@router.post("/{opportunity_id}/move", response_model=OpportunityView)
async def move_opportunity(tx: Tx, who: Writer, match: IfMatch, opportunity_id: UUID, body: MoveBody) -> Opportunity:
    """Let it enter another open stage. It must have what that stage asks for."""
    return await commands.move(tx, opportunity_id, match, body)


@router.post("/{opportunity_id}/win", response_model=OpportunityView)
async def win_opportunity(
    tx: Tx, who: Writer, match: IfMatch, opportunity_id: UUID, body: WinBody | None = None
) -> Opportunity:
    """Note that it is won, or confirm what an accepted quote proposes: its amount then is the quote's net, unless another is said."""
    return await commands.win(tx, opportunity_id, match, body or WinBody())


@router.post("/{opportunity_id}/lose", response_model=OpportunityView)
async def lose_opportunity(tx: Tx, who: Writer, match: IfMatch, opportunity_id: UUID, body: LoseBody) -> Opportunity:
    """Note that it is lost, and why."""
    return await commands.lose(tx, opportunity_id, match, body)


@router.post("/{opportunity_id}/dismiss-proposal", response_model=OpportunityView)
async def dismiss_proposal(tx: Tx, who: Writer, match: IfMatch, opportunity_id: UUID) -> Opportunity:
    """Say that the accepted quote does not win it."""
    opportunity = await tx.load(Opportunity, opportunity_id, match)
    opportunity.dismiss()
    return opportunity


@router.post("/{opportunity_id}/reopen", response_model=OpportunityView)
async def reopen_opportunity(
    tx: Tx, who: Writer, match: IfMatch, opportunity_id: UUID, body: ReopenBody
) -> Opportunity:
    """Go on with one that was closed."""
    return await commands.reopen(tx, opportunity_id, match, body.stage, body.reason)


@router.post("/{opportunity_id}/assign", response_model=OpportunityView)
async def assign_opportunity(
    tx: Tx, who: Assigner, match: IfMatch, opportunity_id: UUID, body: OwnerBody
) -> Opportunity:
    """Say who looks after it."""
    return await commands.assign(tx, opportunity_id, match, body)
