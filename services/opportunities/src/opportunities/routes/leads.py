"""/v1/leads: who might buy, how likely that is and why, who looks after them, and whose customers they become."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy import Select, select

from contracts.leads import LeadStatus, Via
from opportunities import assignment, lead_commands, policies
from opportunities.bodies.leads import LeadAssignment, LeadBody, LeadConversion
from opportunities.bodies.policies import AssignmentBody, ScoringBody
from opportunities.leads import Lead
from opportunities.projections import buyers, dates, days, marks, people, teams
from opportunities.reactions import answers
from opportunities.scopes import Configurer, LeadAssigner, LeadConverter, LeadReader, LeadWriter, pii
from opportunities.scoring import rescore
from opportunities.views.leads import AssignmentView, LeadDuplicates, LeadSummary, LeadView, ScoringView
from tailrace.core.values.fields import Search
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, between, equal, where
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.lists.searching import paginate_found
from tailrace.http.masks import kept, shows
from tailrace.http.routing import ReasonBody, Tx, tenant_router

router = tenant_router(
    "/v1/leads",
    tag="leads",
    about="Who might buy, how likely that is and why, and whose customers they became.",
    reads=[people, teams, buyers, marks, answers, days, dates],
)

PII = {"email": pii, "phone": pii, "note": pii}
_FILTERS = (
    any_of(Lead.status, LeadStatus),
    any_of(Lead.via, Via),
    equal(Lead.source),
    equal(Lead.country),
    equal(Lead.owner_id),
    equal(Lead.team_id),
    equal(Lead.customer_id),
    equal(Lead.form_id),
    where("score_from", int, lambda least: Lead.score >= least, "This many points or more."),
    *between(Lead.created_at, days),
)
_SORT = [Lead.name, Lead.score, Lead.created_at]
Words = Annotated[Search, Query(description="Words, or parts of them, of the name, the company, or an e-mail address.")]
Leads = Annotated[PageRequest, listed(Lead, *_FILTERS, sort=_SORT)]


def _shown() -> Select[Lead]:
    return select(Lead).where(Lead.deleted_at.is_(None))


@router.post("", status_code=201, response_model=LeadView)
async def create_lead(tx: Tx, who: LeadWriter, body: LeadBody) -> Lead:
    """Add a lead; it is scored, and assigned by the tenant's rules."""
    return await lead_commands.create(tx, body.model_dump(), "api")


@router.get("", response_model=Page[LeadSummary])
async def list_leads(tx: Tx, who: LeadReader, page: Leads) -> Listing[Lead]:
    """Leads."""
    return await paginate(tx, _shown(), page)


@router.get("/search", response_model=Page[LeadSummary])
async def list_matching_leads(tx: Tx, who: LeadReader, page: Leads, q: Words | None = None) -> Listing[Lead]:
    """Leads that have all these words, or parts of words; e-mail addresses are looked in for those alone who may see them (`leads:pii`)."""
    return await paginate_found(tx, _shown(), page, Lead, q, masked=shows(pii))


@router.get("/scoring")
async def read_scoring(tx: Tx, who: Configurer) -> ScoringView:
    """How leads are scored."""
    return ScoringView(rules=(await policies.scoring(tx)).rules)


@router.put("/scoring")
async def replace_scoring(tx: Tx, who: Configurer, body: ScoringBody) -> ScoringView:
    """Say how leads are scored. A job scores those that are there again."""
    await policies.replace(tx, "scoring", body)
    return ScoringView(rules=body.rules, job_id=await rescore.start(tx, {}))


@router.get("/assignment")
async def read_assignment(tx: Tx, who: Configurer) -> AssignmentView:
    """Who looks after a new lead."""
    return AssignmentView(rules=(await policies.assignment(tx)).rules)


@router.put("/assignment")
async def replace_assignment(tx: Tx, who: Configurer, body: AssignmentBody) -> AssignmentView:
    """Say who looks after a new lead. It counts from the next one on."""
    await assignment.set_rules(tx, body)
    return AssignmentView(rules=body.rules)


@router.get("/{lead_id}", response_model=LeadView)
async def read_lead(tx: Tx, who: LeadReader, lead_id: UUID) -> Lead:
    """One lead, with its score and the reasons for it."""
    return await tx.find(Lead, lead_id)


@router.put("/{lead_id}", response_model=LeadView)
async def replace_lead(tx: Tx, who: LeadWriter, match: IfMatch, lead_id: UUID, body: LeadBody) -> Lead:
    """Replace what is known of a lead. What the caller may not see stays, and is left out of the body (`leads:pii`)."""
    stays = kept(body, PII)
    values = {name: value for name, value in body.model_dump().items() if name not in stays}
    return await lead_commands.replace(tx, lead_id, match, values)


@router.delete("/{lead_id}", status_code=204)
async def delete_lead(tx: Tx, who: LeadWriter, match: IfMatch, lead_id: UUID) -> None:
    """Delete a lead, and forget who the person was."""
    (await tx.load(Lead, lead_id, match)).delete()


@router.post("/{lead_id}/assign", response_model=LeadView)
async def assign_lead(tx: Tx, who: LeadAssigner, match: IfMatch, lead_id: UUID, body: LeadAssignment) -> Lead:
    """Say who looks after the lead, or let the rules say it."""
    return await lead_commands.assign(tx, lead_id, match, body)


@router.post("/{lead_id}/qualify", response_model=LeadView)
async def qualify_lead(tx: Tx, who: LeadWriter, match: IfMatch, lead_id: UUID) -> Lead:
    """Note that the lead is worth an effort."""
    lead = await tx.load(Lead, lead_id, match)
    lead.qualify()
    return lead


@router.post("/{lead_id}/lose", response_model=LeadView)
async def lose_lead(tx: Tx, who: LeadWriter, match: IfMatch, lead_id: UUID, body: ReasonBody) -> Lead:
    """Note that nothing comes of the lead."""
    lead = await tx.load(Lead, lead_id, match)
    lead.lose(body.reason)
    return lead


@router.post("/{lead_id}/reopen", response_model=LeadView)
async def reopen_lead(tx: Tx, who: LeadWriter, match: IfMatch, lead_id: UUID, body: ReasonBody) -> Lead:
    """Go on with a lead that was given up."""
    lead = await tx.load(Lead, lead_id, match)
    lead.reopen(body.reason)
    return lead


@router.get("/{lead_id}/duplicates", response_model=LeadDuplicates)
async def read_lead_duplicates(tx: Tx, who: LeadReader, lead_id: UUID) -> dict[str, Any]:
    """Other leads and customers that may be this lead: they share an e-mail address, a telephone number or the name."""
    return await lead_commands.duplicates(tx, lead_id)


@router.post("/{lead_id}/convert", response_model=LeadView)
async def convert_lead(tx: Tx, who: LeadConverter, match: IfMatch, lead_id: UUID, body: LeadConversion) -> Lead:
    """Make the lead a customer's: a new one or one that is there, with the lead as a person there, and perhaps an opportunity, all at once.

    The customer is asked for; `handing` is `done` once it is there. Should it be refused, the lead is qualified again and its opportunity is gone.
    """
    return await lead_commands.convert(tx, lead_id, match, body)
