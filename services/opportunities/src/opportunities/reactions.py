"""What the events of others do to leads and opportunities.

A new company gets a pipeline, customers answer, quotes are accepted, customers and users go.
"""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from contracts import customers
from contracts.opportunities import WinProposal
from contracts.quotes import QuoteAccepted
from contracts.users import TenantCreated, UserDeleted
from opportunities import commands
from opportunities.leads import Lead
from opportunities.models import Opportunity
from opportunities.pipelines import Pipeline, Reason
from opportunities.timers import handover, turn
from tailrace.core.errors import Taken, Unknown
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.subscribers import EVER, Reaction

STANDARD_STAGES = (
    ("PROSPECT", "Prospecting", "open", "0.1"),
    ("QUALIFY", "Qualification", "open", "0.25"),
    ("PROPOSE", "Proposal", "open", "0.5"),
    ("NEGOTIATE", "Negotiation", "open", "0.75"),
    ("WON", "Won", "won", "1"),
    ("LOST", "Lost", "lost", "0"),
)
STANDARD_REASONS = (
    ("PRICE", "Price", "lost"),
    ("COMPETITOR", "A competitor was chosen", "lost"),
    ("NO_BUDGET", "No budget", "lost"),
    ("NO_ANSWER", "No answer", "lost"),
    ("BEST_FIT", "Best fit", "won"),
)

standards = Reaction("opportunities.standards", since=EVER)
answers = Reaction("opportunities.customer_answers", since=EVER)
quotes = Reaction("opportunities.quotes", since=EVER)
goings = Reaction("opportunities.goings", since=EVER)


@standards.on(TenantCreated)
async def joined(tx: Tx, event: TenantCreated, meta: Meta) -> None:
    """A company begins with a pipeline and some reasons, unless somebody was quicker."""
    pipelines = await tx.scalar(select(Pipeline.id).limit(1))
    if pipelines is None:
        stages = [
            {"code": code, "name": name, "kind": kind, "probability": str(Decimal(probability)), "requires": []}
            for code, name, kind, probability in STANDARD_STAGES
        ]
        tx.add(Pipeline.create({"code": "STANDARD", "name": "Standard", "stages": stages}))
    taken = set(await tx.scalars(select(Reason.code_key)))
    for code, name, outcome in STANDARD_REASONS:
        if Reason.key_of(code) not in taken:
            tx.add(Reason.create({"code": code, "name": name, "outcome": outcome}))
    try:
        # A race that is lost is told here, where it has a name.
        await tx.flush()
    except Taken as error:
        raise NotYet("a standard pipeline or reason is being made by somebody else at this moment") from error


@answers.on(customers.CustomerLeadAccepted)
async def accepted(tx: Tx, event: customers.CustomerLeadAccepted, meta: Meta) -> None:
    """The customer of a converted lead is there: made, found, or found to stand for another."""
    lead = await _waiting(tx, event.lead_id, event.asked_customer_id)
    if lead is None:
        return
    opportunity_id = lead.opportunity_id
    lead.settle(event.customer_id, event.person_id)
    if opportunity_id is not None:
        opportunity = await tx.load(Opportunity, opportunity_id, even_deleted=True)
        if opportunity.own_customer_id == event.asked_customer_id:
            opportunity.settle(event.customer_id, event.person_id)


@answers.on(customers.CustomerLeadRefused)
async def refused(tx: Tx, event: customers.CustomerLeadRefused, meta: Meta) -> None:
    """There can be no such customer: the lead goes back, and its opportunity is withdrawn."""
    lead = await _waiting(tx, event.lead_id, event.asked_customer_id)
    if lead is None:
        return
    opportunity_id = lead.opportunity_id
    lead.refuse(event.asked_customer_id, event.reason)
    if opportunity_id is not None:
        opportunity = await tx.load(Opportunity, opportunity_id, even_deleted=True)
        # Somebody may have given it to another customer meanwhile.
        if opportunity.own_customer_id == event.asked_customer_id and opportunity.deleted_at is None:
            opportunity.delete()


@quotes.on(QuoteAccepted)
async def quote_accepted(tx: Tx, event: QuoteAccepted, meta: Meta) -> None:
    if event.opportunity_id is None:
        return
    try:
        opportunity = await tx.load(Opportunity, event.opportunity_id)
    except Unknown:
        # It was deleted since: quotes name opportunities alone that they know, or knew.
        return
    proposal = WinProposal(
        quote_id=event.quote_id,
        number=f"{event.number}/{event.revision}",
        net=event.net,
        currency=event.currency,
        accepted_at=event.accepted_at,
    )
    await commands.accept_quote(tx, opportunity, proposal)


@goings.on(customers.CustomerMerged)
async def merged(tx: Tx, event: customers.CustomerMerged, meta: Meta) -> None:
    await turn(tx, event.customer_id, "merged")


@goings.on(customers.CustomerUnmerged)
async def unmerged(tx: Tx, event: customers.CustomerUnmerged, meta: Meta) -> None:
    await turn(tx, event.customer_id, "unmerged", event.from_customer_id)


@goings.on(customers.CustomerDeleted)
async def deleted(tx: Tx, event: customers.CustomerDeleted, meta: Meta) -> None:
    await turn(tx, event.customer_id, "deleted")


@goings.on(customers.CustomerRestored)
async def restored(tx: Tx, event: customers.CustomerRestored, meta: Meta) -> None:
    await turn(tx, event.customer_id, "restored")


@goings.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    await handover.leave(tx, event.user_id, event.successor_id)


async def _waiting(tx: Tx, lead_id: UUID, customer_id: UUID) -> Lead | None:
    """The lead that waits for an answer about this very customer; None when it does not, any more or at all."""
    try:
        lead = await tx.load(Lead, lead_id, even_deleted=True)
    except Unknown as error:
        raise NotYet(f"lead {lead_id} is not here") from error
    return lead if lead.handing == "asked" and lead.own_customer_id == customer_id else None
