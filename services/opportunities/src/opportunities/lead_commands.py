"""What is done with leads: made, scored and assigned; recognised; converted into a customer, a person there and an opportunity at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import undefer

from contracts.leads import ConsentGiven, LeadContact, LeadConverted, Via
from opportunities import assignment, commands, policies
from opportunities.bodies.leads import ASKED, LeadAssignment, LeadBody, LeadConversion, SubmissionBody
from opportunities.copies import CustomerCopy, CustomerMark
from opportunities.forms import LeadForm
from opportunities.leads import Lead, about
from opportunities.scoring import rate, score_of
from tailrace.core import clock
from tailrace.core.errors import FieldProblem, Invalid
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.text_search.matching import MEANING, because, marks_of
from tailrace.db.text_search.search import sharing
from tailrace.db.visibility import owner_of_new
from tailrace.messaging.replica import by_ids

MOST_DUPLICATES = 50


async def create(tx: Tx, values: Mapping[str, Any], via: Via) -> Lead:
    """A lead that is scored, and looked after by the caller where they see but some, else by whom the rules name."""
    said: dict[str, Any] = {"form_id": None, **values, "via": via, "score": 0}
    score, reasons = score_of(await policies.scoring(tx), about(said))
    said |= {"score": score, "score_reasons": reasons, "owner_id": owner_of_new(tx, tx.context.user_id)}
    if said["owner_id"] is not None:
        said["team_id"] = await assignment.first_team(tx, said["owner_id"])
    elif (found := await assignment.by_rules(tx, about(said))) is not None:
        said |= {"owner_id": found.owner_id, "team_id": found.team_id, "rule": found.rule}
    lead = Lead.create(said)
    tx.add(lead)
    return lead


async def replace(tx: Tx, id: UUID, match: int | None, values: Mapping[str, Any]) -> Lead:
    """Raises LeadState."""
    lead = await tx.load(Lead, id, match)
    lead.change(values)
    await rate(tx, lead)
    return lead


async def assign(tx: Tx, id: UUID, match: int | None, asked: LeadAssignment) -> Lead:
    """Raises what is said of a user that is not there, and Invalid when no rule finds anybody."""
    lead = await tx.load(Lead, id, match)
    if asked.by_rules:
        found = await assignment.by_rules(tx, about(lead))
        if found is None:
            raise Invalid.field("/by_rules", "No rule finds anybody for this lead.")
        lead.hand_over(found.owner_id, found.team_id, found.rule)
        return lead
    await commands.ensure_user(tx, asked.owner_id)
    team_id = asked.team_id or await assignment.first_team(tx, asked.owner_id)
    lead.hand_over(asked.owner_id, team_id)
    return lead


async def duplicates(tx: Tx, id: UUID) -> dict[str, Any]:
    """Leads and customers that share something telling with this lead, those that share most first."""
    query = select(Lead).options(undefer(Lead.match_keys))
    lead = (await tx.scalars(query.where(Lead.id == (await tx.find(Lead, id)).id))).one()
    same = sharing(Lead, tx.tenant_id, "match", lead.match_keys)
    others = await tx.scalars(
        query.where(same, Lead.id != id, Lead.deleted_at.is_(None)).order_by(Lead.id).limit(MOST_DUPLICATES)
    )
    leads = [{"lead": other, "shared": because(lead.match_keys, other.match_keys)} for other in others]
    return {
        "leads": sorted(leads, key=lambda each: -len(each["shared"])),
        "customers": await _customers_like(tx, lead.match_keys),
    }


async def _customers_like(tx: Tx, keys: list[str]) -> list[dict[str, Any]]:
    """Customers that are known by one of these, of those that the caller may see."""
    wanted = marks_of(tx.tenant_id, keys)
    marks = select(CustomerMark.customer_id, CustomerMark.what).where(CustomerMark.mark.in_(wanted))
    shared: dict[UUID, set[str]] = {}
    for row in await tx.execute(marks.order_by(CustomerMark.customer_id).limit(4 * MOST_DUPLICATES)):
        shared.setdefault(row.customer_id, set()).add(MEANING[row.what])
    known = await by_ids(tx, CustomerCopy, shared.keys())
    return [
        {"customer_id": each.id, "number": each.number, "shared": sorted(shared[each.id])}
        for each in sorted(known.values(), key=lambda each: (-len(shared[each.id]), each.id))
        if each.active and (tx.owners is None or each.sales_rep_id in tx.owners)
    ][:MOST_DUPLICATES]


async def receive(tx: Tx, form: LeadForm, values: dict[str, Any]) -> None:
    """What a form brought: a new lead, or more of one that the same person's last answer made."""
    now = clock.now()
    if (lead := await _same_person(tx, form, values["email"], now)) is not None:
        lead.note_again(now, values["note"])
        await rate(tx, lead)
        return
    if form.consent_text:
        values["consent"] = {"text": form.consent_text, "given_at": now.isoformat()}
    values |= {"form_id": form.id, "source": form.source, "sent": 1, "last_sent_at": now}
    await create(tx, values, "form")


async def _same_person(tx: Tx, form: LeadForm, email: str | None, now: datetime) -> Lead | None:
    if email is None or not form.same_within_days:
        return None
    since = now - timedelta(days=form.same_within_days)
    theirs = select(Lead.id).where(
        sharing(Lead, tx.tenant_id, "match", [f"mail:{email}"]),
        Lead.form_id == form.id,
        Lead.email == email,
        Lead.status.in_(("new", "qualified")),
        Lead.deleted_at.is_(None),
        Lead.last_sent_at > since,
    )
    id = await tx.scalar(theirs.order_by(Lead.id.desc()).limit(1))
    return None if id is None else await tx.load(Lead, id)


def values_of(form: LeadForm, sent: SubmissionBody) -> dict[str, Any]:
    """The columns of a lead that a form's answers say. Raises Invalid, with each answer that is wrong."""
    asked = form.asked
    given = {each.key: each.value.strip() for each in sent.answers}
    problems = [_problem(sent, key, "The form does not ask for this.") for key in given if key not in asked]
    for key, field in asked.items():
        if field.required and not given.get(key):
            problems.append(FieldProblem(field="/answers", detail=f"{field.label} is missing."))
        elif len(given.get(key, "")) > field.max_length:
            problems.append(_problem(sent, key, f"At most {field.max_length} characters."))
    if form.consent_text and not sent.consent:
        problems.append(FieldProblem(field="/consent", detail="The form needs this."))
    said = {key: value for key, value in given.items() if key in ASKED and value}
    said.setdefault("name", said.get("company") or said.get("email") or "")
    try:
        body = LeadBody.model_validate(said)
    except ValidationError as error:
        problems += [
            _problem(sent, str(each["loc"][0] if each["loc"] else "name"), str(each["msg"]))
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    if problems:
        raise Invalid("Something was filled in wrongly.", errors=problems)
    answers = [{"key": key, "value": given[key]} for key in asked if key not in ASKED and given.get(key)]
    return {**body.model_dump(), "answers": answers}


def _problem(sent: SubmissionBody, key: str, detail: str) -> FieldProblem:
    at = next((number for number, each in enumerate(sent.answers) if each.key == key), None)
    return FieldProblem(field="/answers" if at is None else f"/answers/{at}/value", detail=detail)


async def convert(tx: Tx, id: UUID, match: int | None, asked: LeadConversion) -> Lead:
    """Ask for the customer, under an id that is known from here on, and make the opportunity with it. Raises LeadState, Invalid, and what is said
    of a customer that is not there."""
    lead = await tx.load(Lead, id, match)
    lead.after("converted")
    customer_id, currency, existing = uuid7(), asked.currency or lead.currency, asked.customer_id is not None
    if asked.customer_id is not None:
        customer = await commands.buyer(tx, asked.customer_id)
        customer_id, currency = customer.id, customer.currency
    if currency is None:
        raise Invalid.field("/currency", "Say what the customer is invoiced in.")
    opportunity_id = None
    if asked.opportunity is not None:
        made = await commands.create_converted(tx, lead, asked.opportunity, customer_id, currency, there=existing)
        opportunity_id = made.id
    contact = LeadContact(person_id=uuid7(), name=lead.name, position=lead.position, email=lead.email, phone=lead.phone)
    lead.convert(
        LeadConverted(
            lead_id=lead.id,
            customer_id=customer_id,
            existing=existing,
            customer_name=lead.company or lead.name,
            kind=asked.kind or ("company" if lead.company else "person"),
            currency=currency,
            language=lead.language,
            country=lead.country,
            contact=contact,
            owner_id=lead.owner_id,
            opportunity_id=opportunity_id,
            consent=None if lead.consent is None else ConsentGiven.model_validate(lead.consent),
        )
    )
    return lead
