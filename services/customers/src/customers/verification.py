"""Whether an office really gave a tax id: asked of the partner who can tell, and noted with their reference and the day. A tax id that was changed
meanwhile is none of its answer's business."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from customers.bodies import TaxIdBody
from customers.models import Customer
from customers.refusals import NobodyToAsk
from tailrace.core import clock
from tailrace.core.errors import Invalid, Unknown
from tailrace.core.payload import Payload
from tailrace.core.values.fields import Day, Text
from tailrace.core.values.wire import WireModel
from tailrace.db.database import Tx
from tailrace.errands.errands import Errand, Outcome
from tailrace.errands.partners import Partner


class Checking(Payload):
    """Whose tax id is asked about; which one, the customer knows by the errand's id."""

    customer_id: UUID


class Standing(WireModel):
    """What the partner answers."""

    result: Literal["valid", "invalid", "unknown"]
    reference: Annotated[Text, Field(max_length=100)]
    checked_on: Day


tax_id_check = Errand(
    "customers.tax_id_check",
    about=Checking,
    answer=Standing,
    timeout=10,
    deadline=timedelta(hours=24),
    largest=64 * 1024,
)


async def verify_tax_id(tx: Tx, id: UUID, match: int | None, asked: TaxIdBody, partner: Partner | None) -> Customer:
    """Have one of a customer's tax ids checked; one that is under way already is given up for this. Raises NobodyToAsk, WasMerged, Invalid."""
    customer = await tx.load(Customer, id, match)
    if partner is None:
        raise NobodyToAsk
    if {"country": asked.country, "number": asked.number} not in customer.tax_ids:
        raise Invalid.field("/number", "The customer has no such tax id.")
    call = partner.call("POST", "/tax-ids", json={"country": asked.country, "number": asked.number})
    errand_id = await tax_id_check.send(tx, call, Checking(customer_id=customer.id))
    before = customer.request_tax_id_check(asked.country, asked.number, errand_id, clock.now())
    if before is not None:
        await tax_id_check.cancel(tx, before)
    return customer


@tax_id_check.outcome
async def note(tx: Tx, outcome: Outcome) -> None:
    try:
        customer = await tx.load(Customer, outcome.about.customer_id)
    except Unknown:
        return
    said: Standing | None = outcome.answer
    if said is None:
        customer.note_tax_id_check(outcome.errand_id, "unanswered", None, None)
    else:
        customer.note_tax_id_check(outcome.errand_id, said.result, said.reference, said.checked_on)
