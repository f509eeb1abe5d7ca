"""What is done with opportunities: made, moved on, closed and reopened, handed over; and whom they are about."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import select

from contracts.opportunities import OpportunityLine, Outcome, WinProposal
from opportunities import assignment, policies
from opportunities.bodies.leads import ConvertedOpportunity
from opportunities.bodies.opportunities import (
    LoseBody,
    MoveBody,
    NewOpportunityBody,
    OpportunityBody,
    OpportunityLineBody,
    OwnerBody,
    WinBody,
)
from opportunities.copies import CustomerCopy, ItemCopy, MergeCopy, UnitCopy, UserCopy
from opportunities.leads import Lead
from opportunities.models import Opportunity
from opportunities.pipelines import Pipeline, Reason, default_pipeline
from opportunities.projections import dates, days, teams
from tailrace.core.errors import Invalid, NotDeleted, NotYetKnown, RefersToDeleted
from tailrace.core.ids import is_recent
from tailrace.core.values.money import LARGEST_AMOUNT, round_minor
from tailrace.core.values.plausible import checked_day
from tailrace.core.values.units import check_decimals
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers
from tailrace.messaging.replica import by_code, by_ids, followed

NUMBERS = Numbers("opportunity", "OP-{number:06}")
_BACK, _AHEAD = timedelta(days=3660), timedelta(days=3660)
_CLOSED_BACK = timedelta(days=366)


async def create(tx: Tx, asked: NewOpportunityBody) -> Opportunity:
    """Raises NotYetKnown, Invalid, StageRequires."""
    pipeline = await _pipeline(tx, asked.pipeline_id)
    stage = pipeline.first() if asked.stage is None else pipeline.stage(asked.stage)
    if stage.kind != "open":
        raise Invalid.field("/stage", "An opportunity begins in an open stage.")
    owner_id = asked.owner_id or tx.context.user_id
    if asked.owner_id is not None:
        await ensure_user(tx, asked.owner_id)
    values = {
        **await _values(tx, asked, None),
        "pipeline_id": pipeline.id,
        "owner_id": owner_id,
        "team_id": asked.team_id or await assignment.first_team(tx, owner_id),
    }
    return await _add(tx, pipeline, values, stage.code)


async def create_converted(
    tx: Tx, lead: Lead, asked: ConvertedOpportunity, customer_id: UUID, currency: str, *, there: bool
) -> Opportunity:
    """The opportunity of a lead that becomes a customer's, who need not be there yet."""
    pipeline = await _pipeline(tx, asked.pipeline_id, "/opportunity/pipeline_id")
    amount = asked.amount if asked.amount is not None else lead.amount if lead.currency == currency else None
    values = {
        "name": asked.name or lead.company or lead.name,
        "customer_id": customer_id,
        "customer_there": there,
        "contact_id": None,
        "lead_id": lead.id,
        "amount": amount or 0,
        "currency": currency,
        "expected_close_on": await _day(tx, asked.expected_close_on, "/opportunity/expected_close_on"),
        "probability": None,
        "category": "pipeline",
        "source": lead.source,
        "competitors": [],
        "lines": [],
        "pipeline_id": pipeline.id,
        "owner_id": lead.owner_id,
        "team_id": lead.team_id,
    }
    return await _add(tx, pipeline, values, pipeline.first().code)


async def replace(tx: Tx, id: UUID, match: int | None, asked: OpportunityBody) -> Opportunity:
    """Raises OpportunityState, StageRequires, NotYetKnown, Invalid."""
    opportunity = await tx.load(Opportunity, id, match)
    opportunity.after("changed")
    values = await _values(tx, asked, opportunity)
    opportunity.change(values, await _stage_of(tx, opportunity))
    return opportunity


async def move(tx: Tx, id: UUID, match: int | None, asked: MoveBody) -> Opportunity:
    """Raises OpportunityState, StageRequires, and Invalid for a stage that is entered by winning or losing."""
    opportunity = await tx.load(Opportunity, id, match)
    opportunity.after("moved")
    pipeline = await _pipeline(tx, asked.pipeline_id or opportunity.pipeline_id)
    stage = pipeline.stage(asked.stage)
    if stage.kind != "open":
        raise Invalid.field("/stage", f"An opportunity enters {stage.code} when it is {stage.kind}.")
    opportunity.move(pipeline.id, stage)
    return opportunity


async def win(tx: Tx, id: UUID, match: int | None, asked: WinBody) -> Opportunity:
    """Raises OpportunityState, CustomerPending, Invalid."""
    opportunity = await tx.load(Opportunity, id, match)
    opportunity.after("won")
    await _ensure_reason(tx, asked.reason_id, "won")
    proposal = None if opportunity.proposal is None else WinProposal.model_validate(opportunity.proposal)
    worth = None if asked.amount is None else (asked.amount, opportunity.currency)
    accepted_on = None
    if proposal is not None:
        accepted_on = await days.day_of(tx, proposal.accepted_at)
        worth = worth or (proposal.net, proposal.currency)
    day = await _closed_day(tx, asked.closed_on, accepted_on)
    opportunity.win(await _closing_stage(tx, opportunity, "won"), day, asked.reason_id, asked.note, worth)
    return opportunity


async def lose(tx: Tx, id: UUID, match: int | None, asked: LoseBody) -> Opportunity:
    """Raises OpportunityState, Invalid."""
    opportunity = await tx.load(Opportunity, id, match)
    opportunity.after("lost")
    await _ensure_reason(tx, asked.reason_id, "lost")
    day = await _closed_day(tx, asked.closed_on, None)
    stage = await _closing_stage(tx, opportunity, "lost")
    opportunity.lose(stage, day, asked.reason_id, asked.note, asked.competitor)
    return opportunity


async def reopen(tx: Tx, id: UUID, match: int | None, stage: str | None, reason: str) -> Opportunity:
    """Raises OpportunityState, Invalid."""
    opportunity = await tx.load(Opportunity, id, match)
    opportunity.after("reopened")
    pipeline = await _kept_pipeline(tx, opportunity)
    found = pipeline.first() if stage is None else pipeline.stage(stage)
    if found.kind != "open":
        raise Invalid.field("/stage", "It goes on in an open stage.")
    opportunity.reopen(found, reason)
    return opportunity


async def restore(tx: Tx, id: UUID, match: int | None) -> Opportunity:
    """Raises NotDeleted, and RefersToDeleted while the customer of an open one, a stage of that name and kind, or an item is not there."""
    opportunity = await tx.load(Opportunity, id, match, even_deleted=True)
    if opportunity.deleted_at is None:
        raise NotDeleted(f"Opportunity {opportunity.number} is there.")
    try:
        stage = (await _pipeline(tx, opportunity.pipeline_id)).stage(opportunity.stage)
        if stage.kind != opportunity.status:
            raise Invalid.field(
                "/stage", f"The stage {stage.code} is for what is {stage.kind}; this is {opportunity.status}."
            )
        if opportunity.status == "open":
            await _ensure_in_use(tx, opportunity)
    except Invalid as error:
        raise RefersToDeleted(error.detail, errors=error.errors) from error
    opportunity.restore(stage)
    return opportunity


async def assign(tx: Tx, id: UUID, match: int | None, asked: OwnerBody) -> Opportunity:
    """Raises what is said of a user that is not there, or is gone."""
    opportunity = await tx.load(Opportunity, id, match)
    await ensure_user(tx, asked.owner_id)
    opportunity.hand_over(asked.owner_id, asked.team_id or await assignment.first_team(tx, asked.owner_id))
    return opportunity


async def accept_quote(tx: Tx, opportunity: Opportunity, proposal: WinProposal) -> None:
    """A quote of it was accepted: it is won, or somebody is to say so, as the company has it."""
    if opportunity.status != "open":
        return
    if (await policies.closing(tx)).win_on_quote == "automatic" and opportunity.customer_there:
        day = await days.day_of(tx, proposal.accepted_at)
        opportunity.proposal = proposal.model_dump(mode="json")
        stage = await _closing_stage(tx, opportunity, "won")
        opportunity.win(stage, day, None, None, (proposal.net, proposal.currency))
    else:
        opportunity.propose(proposal.model_copy(update={"confirmer_id": await _confirmer(tx, opportunity)}))


async def buyer(tx: Tx, customer_id: UUID, field: str = "/customer_id") -> CustomerCopy:
    """The customer to sell to. Raises NotYetKnown, and Invalid for one that was deleted."""
    id = await followed(tx, MergeCopy.into_customer_id, customer_id)
    return (await by_ids(tx, CustomerCopy, [id])).in_use(id, field)


async def ensure_user(tx: Tx, user_id: UUID | None, field: str = "/owner_id") -> None:
    """Hold the copy of a user until this is committed: who leaves meanwhile is found by the handover. Raises NotYetKnown, Invalid."""
    if user_id is not None:
        held = select(UserCopy).where(UserCopy.id == user_id).with_for_update(read=True)
        await tx.scalars(held)
        (await by_ids(tx, UserCopy, [user_id])).in_use(user_id, field)


async def _values(tx: Tx, asked: OpportunityBody, former: Opportunity | None) -> dict[str, Any]:
    """The columns that an owner may say, completed by what is known of the customer and the items."""
    if former is not None and asked.customer_id == former.customer_id:
        # Of what is there already nothing is asked again: its customer may be on its way, or gone.
        customer_id, currency = former.customer_id, asked.currency or former.currency
    else:
        customer = await buyer(tx, asked.customer_id)
        customer_id = customer.id
        currency = asked.currency or (customer.currency if former is None else former.currency)
    lines = await _lines(tx, asked.lines)
    amount = asked.amount if asked.amount is not None else sum(line.amount for line in lines)
    if amount > LARGEST_AMOUNT:
        raise Invalid.field("/lines", "What the lines come to is too large: say the amount.")
    expected = asked.expected_close_on
    if former is None or expected != former.expected_close_on:
        await _day(tx, expected, "/expected_close_on")
    said = asked.model_dump(
        include={"name", "contact_id", "probability", "category", "source", "description", "competitors"}
    )
    return {
        **said,
        "customer_id": customer_id,
        "currency": currency,
        "amount": amount,
        "expected_close_on": expected,
        "lines": [line.model_dump(mode="json") for line in lines],
    }


async def _ensure_in_use(tx: Tx, opportunity: Opportunity) -> None:
    """Raises Invalid for a customer and for items that were deleted; what has not arrived here yet is none of them."""
    customers = await by_ids(tx, CustomerCopy, [opportunity.customer_id])
    if opportunity.customer_id in customers:
        customers.in_use(opportunity.customer_id, "/customer_id")
    named = [OpportunityLine.model_validate(line).item_id for line in opportunity.lines]
    items = await by_ids(tx, ItemCopy, [id for id in named if id is not None])
    for at, id in enumerate(named):
        if id is not None and id in items:
            items.in_use(id, f"/lines/{at}/item_id")


async def _lines(tx: Tx, asked: Sequence[OpportunityLineBody]) -> list[OpportunityLine]:
    """Raises NotYetKnown, Inexact, and Invalid for an item that is gone and for an amount that is too large."""
    items = await by_ids(tx, ItemCopy, [line.item_id for line in asked if line.item_id is not None])
    units = await by_code(tx, UnitCopy, {item.unit for item in items.values() if item.unit is not None})
    lines = []
    for at, line in enumerate(asked):
        name = line.name
        if line.item_id is not None:
            item = items.in_use(line.item_id, f"/lines/{at}/item_id")
            name = name or item.name
            if (unit := units.get(item.unit or "")) is not None:
                check_decimals(line.quantity, unit.code, unit.decimals, f"/lines/{at}/quantity")
        amount = round_minor(Fraction(line.quantity) * Fraction(line.unit_price))
        if amount > LARGEST_AMOUNT:
            raise Invalid.field(f"/lines/{at}/unit_price", "The line's amount is too large.")
        said = line.model_dump(include={"item_id", "quantity", "unit_price"})
        lines.append(OpportunityLine(**said, name=name or "", amount=amount))
    return lines


async def _add(tx: Tx, pipeline: Pipeline, values: dict[str, Any], stage: str) -> Opportunity:
    opportunity = Opportunity.create({**values, "number": await NUMBERS.next(tx)}, pipeline.stage(stage))
    tx.add(opportunity)
    return opportunity


async def _pipeline(tx: Tx, id: UUID | None, field: str = "/pipeline_id") -> Pipeline:
    """The pipeline, kept in use until this is committed; the oldest without an id. Raises Invalid for one that is not there, or where there is none.

    NotYetKnown while the standard one of a tenant just made is still on its way.
    """
    if id is None:
        found = await default_pipeline(tx)
        if found is None:
            if is_recent(tx.tenant_id) and await tx.scalar(select(Pipeline.id).limit(1)) is None:
                raise NotYetKnown(field, "This tenant has no pipeline yet; the standard one is on its way.")
            raise Invalid.field(field, "There is no pipeline in use: create one first, and say which.")
        id = found.id
    if not await Pipeline.hold(tx, [id]):
        raise Invalid.field(field, f"There is no pipeline {id}.")
    # As it is once it is held: its stages may have changed since it was read.
    held = select(Pipeline).where(Pipeline.id == id).execution_options(populate_existing=True)
    return (await tx.scalars(held)).one()


async def _kept_pipeline(tx: Tx, opportunity: Opportunity) -> Pipeline:
    """The pipeline that it is in, which may have been deleted since it was closed."""
    return (await tx.scalars(select(Pipeline).where(Pipeline.id == opportunity.pipeline_id))).one()


async def _stage_of(tx: Tx, opportunity: Opportunity) -> Any:
    return (await _kept_pipeline(tx, opportunity)).stage(opportunity.stage)


async def _closing_stage(tx: Tx, opportunity: Opportunity, outcome: Outcome) -> Any:
    return (await _kept_pipeline(tx, opportunity)).first(outcome)


async def _ensure_reason(tx: Tx, id: UUID | None, outcome: Outcome) -> None:
    if id is not None:
        known = select(Reason.outcome).where(Reason.id == id, Reason.deleted_at.is_(None))
        if await tx.scalar(known.with_for_update(key_share=True, read=True)) != outcome:
            raise Invalid.field("/reason_id", f"There is no such reason for what was {outcome}.")


async def _closed_day(tx: Tx, asked: date | None, accepted_on: date | None) -> date:
    today = await days.today(tx)
    if asked is None:
        return accepted_on or today
    first, _ = await dates.days(tx, "close", today, today - _CLOSED_BACK, today)
    return checked_day(asked, first, today, "/closed_on")


async def _day(tx: Tx, day: date, field: str) -> date:
    today = await days.today(tx)
    return checked_day(day, *await dates.days(tx, "expected_close", today, today - _BACK, today + _AHEAD), field)


async def _confirmer(tx: Tx, opportunity: Opportunity) -> UUID | None:
    """The owner, else who leads the team that it counts for."""
    if opportunity.owner_id is not None or opportunity.team_id is None:
        return opportunity.owner_id
    team = teams.teams.c
    found: UUID | None = await tx.scalar(select(team.lead_id).where(team.id == opportunity.team_id))
    return found
